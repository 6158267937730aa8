"""Pixels of a Pillow image, with transparency composited on white."""

import numpy as np
from PIL import Image

from clearcnn.data.image_error import ImageError
from clearcnn.data.labelled_images import Images
from clearcnn.data.png import PngHeader
from clearcnn.data.tiles import read_tiles
from clearcnn.language import say

WHITE = 255


def flatten(image: Image.Image, header: PngHeader | None = None) -> Images:
    """Convert a Pillow image to an array, compositing transparent pixels on white.

    Args:
      image: in any of Pillow's modes.
      header: the header of the file, if it is a PNG.
    Returns:
      (height, width, 1 or 3); float32 or uint16 if grey values are stored so, otherwise uint8.
    Raises:
      ImageError: a pixel is NaN, infinite, negative, or above 65,535.
    """
    image.load()
    if image.mode == "F":
        return read_tiles(image, _deep_pixels, channels=1, dtype="float32")
    if image.mode.startswith("I"):
        return read_tiles(image, _deep_pixels, channels=1, dtype="uint16")
    if image.has_transparency_data:
        _scale_transparent_value(image, header)
        return read_tiles(image, _on_white, channels=3, dtype="uint8")
    if image.mode in ("1", "L"):
        return read_tiles(image, _grey_pixels, channels=1, dtype="uint8")
    return read_tiles(image, _rgb_pixels, channels=3, dtype="uint8")


def _on_white(image: Image.Image) -> Images:
    rgba = image.convert("RGBA")
    background = Image.new("RGB", rgba.size, (WHITE, WHITE, WHITE))
    background.paste(rgba, mask=rgba)
    return np.asarray(background)


def _grey_pixels(image: Image.Image) -> Images:
    return np.asarray(image.convert("L"))[..., np.newaxis]


def _rgb_pixels(image: Image.Image) -> Images:
    return np.asarray(image.convert("RGB"))


def _deep_pixels(image: Image.Image) -> Images:
    """Return grey values of more than 8 bits: (height, width, 1) uint16 or float32."""
    pixels = np.asarray(image)[..., np.newaxis]
    if image.mode == "F":
        if not np.isfinite(pixels).all():
            raise ImageError(say("it has NaN or infinite values"))
        return pixels.astype(np.float32)
    if pixels.min() < 0 or pixels.max() > 65535:
        raise ImageError(
            say(
                "its values range from {low} to {high}; expected 0 to 65,535",
                low=pixels.min(),
                high=pixels.max(),
            )
        )
    pixels = pixels.astype(np.uint16)
    transparent = image.info.get("transparency")
    return pixels if transparent is None else np.where(pixels == transparent, 65535, pixels)


def _scale_transparent_value(image: Image.Image, header: PngHeader | None) -> None:
    """Convert a PNG's transparent grey or colour to 8 bits, as Pillow converts the pixels."""
    value = image.info.get("transparency")
    if header is None or value is None:
        return
    if image.mode == "RGB" and header.bit_depth == 16:
        image.info["transparency"] = tuple(sample >> 8 for sample in value)
    elif image.mode == "L":
        image.info["transparency"] = value * 255 // (2**header.bit_depth - 1)
