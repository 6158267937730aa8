"""The runs of equal pixels that a BMP of 4 or 8 bits may be stored as."""

import numpy as np
from numpy.typing import NDArray

from clearcnn.data.image_error import PictureError

_MOST_RUNS = 1_000_000
_ROW, _PICTURE, _MOVE = 0, 1, 2


def unpack_runs(
    content: bytes, start: int, width: int, height: int, bits: int
) -> NDArray[np.uint8]:
    """Lay out the runs.

    Args:
      content: the whole file.
      start: the byte of the first run.
      width, height: in pixels.
      bits: of a pixel, 4 or 8.
    Returns:
      (height, width) uint8, indices into the palette, rows in stored order.
    Raises:
      PictureError: a run leaves the picture, pixels are left out, or there is no end.
    Source: Microsoft, "Bitmap Compression".
    """
    samples, given = bytearray(width * height), bytearray(width * height)
    x = y = 0
    place = start
    for _ in range(_MOST_RUNS):
        count, value = _take(content, place, 2)
        place += 2
        if count:
            run = _split(bytes([value]), bits) * count
        elif value > _MOVE:
            count, size = value, (value * bits + 7) // 8
            run = _split(_take(content, place, size), bits)
            place += size + size % 2
        elif value == _PICTURE:
            if given.count(0):
                raise PictureError(
                    f"it leaves out {given.count(0):,} of its pixels, and viewers differ on what "
                    "they show there"
                )
            return np.frombuffer(samples, np.uint8).reshape(height, width)
        else:
            right, up = _take(content, place, 2) if value == _MOVE else (-x, 1)
            place += 2 if value == _MOVE else 0
            x, y = x + right, y + up
            continue
        if x + count > width or y >= height:
            raise PictureError("its runs of pixels leave the picture")
        where = slice(y * width + x, y * width + x + count)
        samples[where], given[where] = run[:count], b"\1" * count
        x += count
    raise PictureError("it consists of too many pieces")


def _take(content: bytes, place: int, size: int) -> bytes:
    taken = content[place : place + size]
    if len(taken) < size:
        raise PictureError("it is cut off inside its pixels")
    return taken


def _split(data: bytes, bits: int) -> bytes:
    """One byte for each pixel."""
    return data if bits == 8 else bytes(half for byte in data for half in (byte >> 4, byte & 15))
