"""Large pictures in tiles, so that no step needs the whole picture once more."""

from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from clearcnn.data.labelled_images import Images

_PIXELS = 2**20


def read_tiles(
    image: Image.Image, convert: Callable[[Image.Image], Images], *, channels: int, dtype: str
) -> Images:
    """Convert a picture tile by tile.

    Args:
      image: loaded.
      convert: gives the pixels (height, width, channels) of a picture.
      channels, dtype: of what it gives.
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
    """Make a picture of floats of one channel (height, width) of numbers."""
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
