"""One picture file for a model that knows what it wants."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from clearcnn.data.color import to_grayscale, to_rgb
from clearcnn.data.decode_image import NOTES, Picture, unfolded
from clearcnn.data.image_files import quiet_pillow
from clearcnn.data.labelled_images import Images
from clearcnn.data.resize import resize
from clearcnn.data.safe_files import read_bytes
from clearcnn.errors import DataError


@dataclass(frozen=True, eq=False)
class OnePicture:
    """A picture in the form that a model takes.

    Attributes:
      pixels: (height, width, channels).
      preparation: what was done to it, one sentence each.
    """

    pixels: Images
    preparation: tuple[str, ...]


def read_one_picture(
    path: Path,
    *,
    size: tuple[int, int],
    color_mode: Literal["grayscale", "rgb"],
    dtype: str,
    value_range: tuple[float, float],
) -> OnePicture:
    """Read a picture file as the pictures for training were read.

    Args:
      path: of the file.
      size, color_mode, dtype, value_range: as for `prepare_one_picture`.
    Returns:
      OnePicture.
    Raises:
      DataError: as `prepare_one_picture`, or the file cannot be opened.
    """
    return prepare_one_picture(
        read_bytes(path),
        str(path),
        size=size,
        color_mode=color_mode,
        dtype=dtype,
        value_range=value_range,
    )


def prepare_one_picture(
    content: bytes,
    name: str,
    *,
    size: tuple[int, int],
    color_mode: Literal["grayscale", "rgb"],
    dtype: str,
    value_range: tuple[float, float],
) -> OnePicture:
    """Prepare the bytes of a picture file as the pictures for training were prepared.

    Decoding, colour and resizing are those of every source. Then the file's own values, 0 to
    255 or to 65,535, are brought to the range of the model's images.

    Args:
      content: the whole file.
      name: what to call the picture in an error.
      size: (height, width) in pixels.
      color_mode: "grayscale" or "rgb".
      dtype: NumPy's name, of the images the model was trained on.
      value_range: the smallest and largest value such an image may have.
    Returns:
      OnePicture.
    Raises:
      DataError: it cannot be read, or holds floats, whose range nobody can know.
    """
    with quiet_pillow(), unfolded(content, name) as picture:
        return _prepare(picture, name, size, color_mode, np.dtype(dtype), value_range)


def _prepare(
    picture: Picture,
    name: str,
    size: tuple[int, int],
    color_mode: Literal["grayscale", "rgb"],
    dtype: np.dtype[np.generic],
    value_range: tuple[float, float],
) -> OnePicture:
    pixels = picture.pixels
    assert pixels is not None  # Only asked to be measured, a picture has no pixels.
    notes = [note for note in picture.notes if note != "greys" or color_mode == "grayscale"]
    if color_mode == "grayscale" and pixels.shape[-1] == 3:
        notes.append("greyed")
        pixels = to_grayscale(pixels)
    sentences = [NOTES[note].format("1 picture") for note in notes]
    if color_mode == "rgb" and pixels.shape[-1] == 1:
        sentences.append("1 picture showing only greys read as RGB.")
    if pixels.shape[:2] != size:
        sentences.append(
            f"Resized from {pixels.shape[0]}×{pixels.shape[1]} to {size[0]}×{size[1]} pixels "
            "(height × width), with Pillow's bilinear filter, without keeping the aspect ratio."
        )
    pixels = resize(pixels, size)
    if color_mode == "rgb":
        pixels = to_rgb(pixels)
    pixels, scaled = _scale(pixels, name, dtype, value_range)
    return OnePicture(np.ascontiguousarray(pixels), (*sentences, *scaled))


def _scale(
    pixels: Images, name: str, dtype: np.dtype[np.generic], value_range: tuple[float, float]
) -> tuple[Images, tuple[str, ...]]:
    if pixels.dtype.kind == "f":
        if dtype.kind == "f":
            return pixels.astype(dtype), ("Floating-point values taken as they are.",)
        raise DataError(
            f"{name} holds floating-point values; the model's images are {dtype} from "
            f"{value_range[0]:g} to {value_range[1]:g}, and no rule leads from one to the other.",
            remedy="Save the picture with 8 or 16 bits a channel.",
        )
    low, high = value_range
    most = float(np.iinfo(pixels.dtype).max)
    if (low, high) == (0, most):
        return pixels.astype(dtype), ()
    scaled = low + pixels.astype(np.float64) * ((high - low) / most)
    rounded = ""
    if dtype.kind == "u":
        scaled, rounded = np.rint(scaled), ", and rounded to whole numbers"
    return scaled.astype(dtype), (
        f"Values from 0 to {most:g} brought to {low:g} to {high:g}, the range of the images the "
        f"model was trained on{rounded}.",
    )
