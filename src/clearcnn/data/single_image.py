"""One image file, converted to the input of a trained model."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from clearcnn.data.bit_depth import find_white
from clearcnn.data.color import to_grayscale, to_rgb
from clearcnn.data.decode_image import DecodedImage, decode_when_memory_allows
from clearcnn.data.image_files import quiet_pillow
from clearcnn.data.image_notes import NOTES
from clearcnn.data.labelled_images import Images
from clearcnn.data.resize import resize
from clearcnn.data.safe_files import read_bytes
from clearcnn.errors import DataError
from clearcnn.language import say, say_count

_WHITE_16, _DARK = 65535, 4095


@dataclass(frozen=True, eq=False)
class PreparedImage:
    """An image in the form that a model expects.

    Attributes:
      pixels: (height, width, channels).
      preparation: the conversions, one sentence each.
    """

    pixels: Images
    preparation: tuple[str, ...]


def read_image_file(
    path: Path,
    *,
    size: tuple[int, int],
    color_mode: Literal["grayscale", "rgb"],
    dtype: str,
    value_range: tuple[float, float],
) -> PreparedImage:
    """Read an image file in the same way as the images for training.

    Args:
      path: the file.
      size, color_mode, dtype, value_range: as for `prepare_image`.
    Returns:
      PreparedImage.
    Raises:
      DataError: as `prepare_image`, or the file cannot be opened.
    """
    return prepare_image(
        read_bytes(path),
        str(path),
        size=size,
        color_mode=color_mode,
        dtype=dtype,
        value_range=value_range,
    )


def prepare_image(
    content: bytes,
    name: str,
    *,
    size: tuple[int, int],
    color_mode: Literal["grayscale", "rgb"],
    dtype: str,
    value_range: tuple[float, float],
) -> PreparedImage:
    """Convert the bytes of an image file in the same way as the images for training.

    Decoding, colour conversion and resizing are those of every source. Then the file's values, 0 to
    255 or 0 to 65,535, are scaled to the range of the model's images.

    Args:
      content: the whole file.
      name: the name of the image for error messages.
      size: (height, width) in pixels.
      color_mode: "grayscale" or "rgb".
      dtype: NumPy's name of the dtype of the training images.
      value_range: the smallest and largest value that these images may have.
    Returns:
      PreparedImage.
    Raises:
      DataError: it cannot be read, or has floating-point values, whose range is unknown.
    """
    with quiet_pillow(), decode_when_memory_allows(content, name) as image:
        return _prepare(image, name, size, color_mode, np.dtype(dtype), value_range)


def prepare_pixels(
    pixels: Images,
    name: str,
    *,
    size: tuple[int, int],
    color_mode: Literal["grayscale", "rgb"],
    dtype: str,
) -> PreparedImage:
    """Convert pixels on the scale of the training images, such as a row of a table.

    Args:
      pixels: (height, width, 1 or 3); their values are used as they are.
      name, size, color_mode, dtype: as for `prepare_image`.
    Returns:
      PreparedImage.
    Raises:
      DataError: the model expects integers, and there are fractions or values out of their range.
    """
    pixels, sentences = _fit(pixels, (), size, color_mode)
    kind = np.dtype(dtype)
    with np.errstate(invalid="ignore"):
        converted = pixels.astype(kind)
    if kind.kind == "u" and not np.array_equal(converted, pixels):
        raise DataError(
            say(
                "{name} has values from {low:g} to {high:g}; the model expects whole "
                "numbers of {dtype}.",
                name=name,
                low=pixels.min(),
                high=pixels.max(),
                dtype=dtype,
            ),
            remedy=say("Scale the values like those of the training images."),
        )
    return PreparedImage(np.ascontiguousarray(converted), sentences)


def _prepare(
    image: DecodedImage,
    name: str,
    size: tuple[int, int],
    color_mode: Literal["grayscale", "rgb"],
    dtype: np.dtype[np.generic],
    value_range: tuple[float, float],
) -> PreparedImage:
    pixels = image.pixels
    assert pixels is not None  # Only images of which the size alone was read have no pixels.
    pixels, sentences = _fit(pixels, image.notes, size, color_mode)
    pixels, scaled = _scale(pixels, name, dtype, value_range)
    return PreparedImage(np.ascontiguousarray(pixels), (*sentences, *scaled))


def _fit(
    pixels: Images,
    said: Sequence[str],
    size: tuple[int, int],
    color_mode: Literal["grayscale", "rgb"],
) -> tuple[Images, tuple[str, ...]]:
    """Convert to the colour mode and the size; `said` are the keys of NOTES so far."""
    notes = [note for note in said if note != "greys" or color_mode == "grayscale"]
    if color_mode == "grayscale" and pixels.shape[-1] == 3:
        notes.append("greyed")
        pixels = to_grayscale(pixels)
    sentences = [
        NOTES[note](say_count("{number:,} image", "{number:,} images", 1)) for note in notes
    ]
    if color_mode == "rgb" and pixels.shape[-1] == 1:
        sentences.append(say("1 image with only grey pixels read as RGB."))
    if pixels.shape[:2] != size:
        sentences.append(
            say(
                "Resized from {old_height}×{old_width} to {height}×{width} pixels (height × "
                "width), "
                "with Pillow's bilinear filter, without keeping the aspect ratio.",
                old_height=pixels.shape[0],
                old_width=pixels.shape[1],
                height=size[0],
                width=size[1],
            )
        )
    pixels = resize(pixels, size)
    return to_rgb(pixels) if color_mode == "rgb" else pixels, tuple(sentences)


def _scale(
    pixels: Images, name: str, dtype: np.dtype[np.generic], value_range: tuple[float, float]
) -> tuple[Images, tuple[str, ...]]:
    if pixels.dtype.kind == "f":
        if dtype.kind == "f":
            return pixels.astype(dtype), (say("Floating-point values used unchanged."),)
        raise DataError(
            say(
                "{name} has floating-point values of unknown range; the model expects {dtype} "
                "from {low:g} to {high:g}.",
                name=name,
                dtype=dtype,
                low=value_range[0],
                high=value_range[1],
            ),
            remedy=say("Save the image with 8 or 16 bits a channel."),
        )
    low, high = value_range
    most = float(np.iinfo(pixels.dtype).max)
    if (low, high) == (0, most):
        return pixels.astype(dtype), ()
    largest = int(pixels.max())
    if pixels.dtype == dtype == np.uint16 and low == 0 and largest <= high:
        return pixels, ()
    scaled = low + pixels.astype(np.float64) * ((high - low) / most)
    rounded = ""
    if dtype.kind == "u":
        scaled, rounded = np.rint(scaled), say(", and rounded to integers")
    return scaled.astype(dtype), (
        say(
            "Values from 0 to {most:g} scaled to {low:g} to {high:g}, the range of the "
            "training images{rounded}.",
            most=most,
            low=low,
            high=high,
            rounded=rounded,
        ),
        *_describe_depth(pixels, largest),
    )


def _describe_depth(pixels: Images, largest: int) -> tuple[str, ...]:
    white = find_white([pixels])
    if pixels.dtype != np.uint16 or white > _DARK:
        return ()
    return (
        say(
            "Its largest value is {largest:,} of {largest_possible:,}: if white is {white:,}, it "
            "is "
            "{times} times too dark for the model.",
            largest=largest,
            largest_possible=_WHITE_16,
            white=white,
            times=(_WHITE_16 + 1) // (white + 1),
        ),
    )
