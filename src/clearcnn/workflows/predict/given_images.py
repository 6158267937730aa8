"""Images given to `predict` in Python: paths, Pillow images and arrays, in any mixture."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from clearcnn.contract import InputContract
from clearcnn.errors import DataError
from clearcnn.language import say, say_count
from clearcnn.types import Array, Pixels
from clearcnn.workflows.predict.input_files import ImageFile, find_image_files

GivenImage = Path | str | Image.Image | Array

# The modes of Pillow that a PNG keeps unchanged.
_MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")


@dataclass(frozen=True, eq=False)
class ImageArray:
    """An image in the shape and the values of the training images.

    Attributes:
      name: such as "image 3".
      pixels: (height, width, channels) in the dtype of the contract.
    """

    name: str
    pixels: Pixels


def list_images(
    given: GivenImage | Iterable[GivenImage], contract: InputContract
) -> tuple[ImageFile | ImageArray, ...]:
    """List images of all kinds in order, without reading files.

    Args:
      given: a path, a folder, a Pillow image, an array, or an iterable of these. An array is one
        image (height, width) or (height, width, channels), or several with one more axis first.
      contract: of the model.
    Returns:
      The images of arrays, which must be as the contract says; and files to read, which are
      converted to it.
    Raises:
      DataError: nothing was given, a folder cannot be read, or an array does not fit the contract.
    """
    found: list[ImageFile | ImageArray] = []
    paths: set[str] = set()
    for each in [given] if isinstance(given, (str, Path, Image.Image, np.ndarray)) else given:
        if isinstance(each, Image.Image):
            found.append(_encode(each, say("image {number}", number=len(found) + 1)))
        elif isinstance(each, np.ndarray):
            found += _split(each, contract, len(found))
        else:
            files = find_image_files([each], contract.shape[:2]).files
            found += [file for file in files if file.name not in paths]
            paths.update(file.name for file in files)
    if not found:
        raise DataError(
            say("No image was given."),
            remedy=say("Give a path, a folder, a Pillow image or an array."),
        )
    return tuple(found)


def _encode(image: Image.Image, name: str) -> ImageFile:
    name = str(getattr(image, "filename", "") or name)
    if image.mode not in _MODES:
        raise DataError(
            say(
                '{name} has Pillow\'s mode "{mode}"; expected one of {modes}.',
                name=name,
                mode=image.mode,
                modes=", ".join(_MODES),
            ),
            remedy=say('Convert it, for example with image.convert("RGB").'),
        )
    return ImageFile(name, partial(_to_png, image))


def _to_png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    # As files are read: a photo taken sideways is turned upright.
    ImageOps.exif_transpose(image).save(buffer, "PNG")
    return buffer.getvalue()


def _split(array: Array, contract: InputContract, before: int) -> Iterator[ImageArray]:
    """Split an array into images of the contract's shape, dtype and values."""
    shape = contract.shape
    images = array[..., np.newaxis] if _lacks_channels(array, shape) else array
    if images.shape[-3:] != shape or images.ndim not in (3, 4):
        height, width, channels = shape
        raise DataError(
            say_count(
                "An array of shape {shape} was given; the model expects images of "
                "{height}×{width} pixels with {number} channel: {expected}, or (n, {height}, "
                "{width}, {number}).",
                "An array of shape {shape} was given; the model expects images of "
                "{height}×{width} pixels with {number} channels: {expected}, or (n, {height}, "
                "{width}, {number}).",
                channels,
                shape=array.shape,
                height=height,
                width=width,
                expected=shape,
            ),
            remedy=say(
                "Give an image of another size as a file or as a Pillow image, such as "
                "PIL.Image.fromarray(array): these are converted."
            ),
        )
    images = images.reshape(-1, *shape)
    converted = _convert(images, contract)
    for number, pixels in enumerate(converted, start=before + 1):
        yield ImageArray(say("image {number}", number=number), pixels)


def _lacks_channels(array: Array, shape: tuple[int, int, int]) -> bool:
    return shape[2] == 1 and array.shape[-2:] == shape[:2] and array.shape != shape


def _convert(images: Array, contract: InputContract) -> Pixels:
    low, high = contract.value_range
    dtype = np.dtype(contract.dtype)
    if images.dtype.kind not in "buif":
        raise DataError(
            say("The array has the dtype {dtype}; expected numbers.", dtype=images.dtype),
            remedy=say("Convert it with astype({dtype!r}).", dtype=contract.dtype),
        )
    seen = (float(images.min()), float(images.max())) if images.size else (low, high)
    if not (low <= seen[0] and seen[1] <= high):
        raise DataError(
            say(
                "The array has values from {array_low:g} to {array_high:g}; the model was "
                "trained on "
                "values from {low:g} to {high:g}.",
                array_low=seen[0],
                array_high=seen[1],
                low=low,
                high=high,
            ),
            remedy=say("Scale the array to that range, or give files or Pillow images."),
        )
    converted = images.astype(dtype)
    if dtype.kind == "u" and not np.array_equal(converted, images):
        raise DataError(
            say(
                "The array has fractions; the model was trained on {dtype} from {low:g} to "
                "{high:g}.",
                dtype=contract.dtype,
                low=low,
                high=high,
            ),
            remedy=say(
                "Is it scaled as the training images are? Then round it to {dtype}.",
                dtype=contract.dtype,
            ),
        )
    return converted
