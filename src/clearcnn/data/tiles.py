"""Conversion of large images tile by tile, so no step needs a second whole image in memory."""

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from clearcnn.data.labelled_images import Images

_PIXELS = 2**20


def read_tiles(
    image: Image.Image, convert: Callable[[Image.Image], Images], *, channels: int, dtype: str
) -> Images:
    """Convert an image tile by tile.

    Args:
      image: already loaded.
      convert: returns the pixels (height, width, channels) of an image.
      channels, dtype: of these pixels.
    Returns:
      (height, width, channels).
    """
    width, height = image.size
    if width * height <= _PIXELS:
        return convert(image)
    pixels = np.empty((height, width, channels), dtype)
    for rows, columns in _tiles(height, width):
        box = (columns.start, rows.start, columns.stop, rows.stop)
        pixels[rows, columns] = convert(image.crop(box))
    return pixels


def float_image(channel: Images) -> Image.Image:
    """Convert one channel (height, width) to a Pillow image of floats."""
    height, width = channel.shape
    if width * height <= _PIXELS:
        return Image.fromarray(np.ascontiguousarray(channel, np.float32))
    image = Image.new("F", (width, height))
    for rows, columns in _tiles(height, width):
        tile = np.ascontiguousarray(channel[rows, columns], np.float32)
        image.paste(Image.fromarray(tile), (columns.start, rows.start))
    return image


def _tiles(height: int, width: int) -> Iterator[tuple[slice, slice]]:
    wide = min(width, _PIXELS)
    high = max(1, _PIXELS // wide)
    for top in range(0, height, high):
        for left in range(0, width, wide):
            yield (
                slice(top, min(height, top + high)),
                slice(left, min(width, left + wide)),
            )
