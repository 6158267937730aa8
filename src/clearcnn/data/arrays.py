"""Images that a source has as one array: conversion of shape, dtype, size and colour."""

from collections.abc import Sequence

import numpy as np

from clearcnn.data.color import is_grey, to_grayscale, to_rgb
from clearcnn.data.labelled_images import DTYPES, Images, check_finite, narrow
from clearcnn.data.resize import choose_size, describe_resizing, resize
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.specs import DataSpec


def prepare_array(images: Images, spec: DataSpec, source: str) -> tuple[Images, tuple[str, ...]]:
    """Convert an array of images to the form that `LabelledImages` requires.

    Args:
      images: (n, height, width) or (n, height, width, channels), bool, integer or float.
      spec: the requested size and colour mode.
      source: a description for error messages.
    Returns:
      (images, sentences): (n, height, width, 1 or 3) in one of DTYPES, and the conversions.
    Raises:
      DataError: the shape or dtype is not that of images, or a value is NaN or infinite.
    """
    images = _with_channels(images, source)
    images, sentences = _in_known_dtype(images, source)
    check_finite(images, source)
    images, said = _in_color_mode(images, spec)
    sentences += said
    size = (images.shape[1], images.shape[2])
    target = spec.size or choose_size([size])
    if target != size:
        images = np.stack([resize(image, target) for image in images])
        sentences.append(describe_resizing([size], target, asked=spec.size is not None) or "")
    return images, tuple(sentences)


def join_arrays(arrays: Sequence[Images]) -> Images:
    """Concatenate arrays along their first axis; a single one is not copied."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def whole_numbers(values: Images) -> Images:
    """Convert floats that are whole numbers from 0 to 65,535 to uint8 or uint16.

    MATLAB and tables of text store pixels so. Other values stay as they are.
    """
    if values.dtype.kind != "f" or not values.size:
        return values
    low, high = values.min(), values.max()
    if np.isfinite(low + high) and low >= 0 and high <= 65535 and (values == np.rint(values)).all():
        return values.astype(np.uint8 if high <= 255 else np.uint16)
    return values


def _with_channels(images: Images, source: str) -> Images:
    if images.ndim == 3:
        images = images[..., np.newaxis]
    if images.ndim == 4 and 0 not in images.shape and images.shape[3] in (1, 3):
        return images
    channels_first = images.ndim == 4 and images.shape[1] in (1, 3)
    raise DataError(
        say(
            "{source}: images have the shape {shape}; expected (n, height, width) or (n, "
            "height, width, channels) with 1 or 3 channels.",
            source=source,
            shape=images.shape,
        ),
        remedy=say("Move the channels to the end: numpy.moveaxis(x, 1, -1).")
        if channels_first
        else say("Reshape the images; composite transparent ones on a background."),
    )


def _in_known_dtype(images: Images, source: str) -> tuple[Images, list[str]]:
    """Convert images to one of DTYPES in native byte order; only float64 loses precision."""
    images = images.astype(images.dtype.newbyteorder("="), copy=False)
    if images.dtype.name in DTYPES:
        return images, []
    if images.dtype.kind == "b":
        return images.astype(np.uint8) * np.uint8(255), [say("False and True read as 0 and 255.")]
    if images.dtype == np.float64:
        stored, sentence = narrow(images, source)
        return stored, [sentence]
    if images.dtype == np.float16:
        return images.astype(np.float32), [say("float16 converted to float32.")]
    if images.dtype.kind in "iu":
        low, high = int(images.min()), int(images.max())
        if low >= 0 and high <= 65535:
            dtype = np.dtype(np.uint8 if high <= 255 else np.uint16)
            return images.astype(dtype), [
                say(
                    "{dtype} converted to {new_dtype}, without loss.",
                    dtype=images.dtype,
                    new_dtype=dtype,
                )
            ]
        fault = say(
            "dtype {dtype} with values from {low} to {high}", dtype=images.dtype, low=low, high=high
        )
    else:
        fault = say("dtype {dtype}", dtype=images.dtype)
    raise DataError(
        say(
            "{source}: unsupported images of {found}; expected {dtypes}, or integers from 0 "
            "to 65,535.",
            source=source,
            found=fault,
            dtypes=", ".join(DTYPES),
        ),
        remedy=say("Convert the images with astype."),
    )


def _in_color_mode(images: Images, spec: DataSpec) -> tuple[Images, list[str]]:
    colored = images.shape[-1] == 3
    if spec.color_mode == "rgb" and not colored:
        return to_rgb(images), [say("Greyscale images repeated in three channels.")]
    if colored and spec.color_mode == "auto" and is_grey(images):
        return images[..., :1].copy(), [say("RGB images with only grey pixels read as greyscale.")]
    if colored and spec.color_mode == "grayscale":
        return to_grayscale(images), [say("RGB images converted to greyscale (ITU-R 601-2 luma).")]
    return images, []
