"""Run-length encoding of BMP files with 4 or 8 bits a pixel."""

import numpy as np
from numpy.typing import NDArray

from clearcnn.data.image_error import ImageError
from clearcnn.language import say

_MOST_RUNS = 1_000_000
_ROW, _END, _MOVE = 0, 1, 2


def unpack_runs(
    content: bytes, start: int, width: int, height: int, bits: int
) -> NDArray[np.uint8]:
    """Decode run-length encoded pixels.

    Args:
      content: the whole file.
      start: the offset of the first run.
      width, height: in pixels.
      bits: per pixel, 4 or 8.
    Returns:
      (height, width) uint8, palette indices, rows in stored order.
    Raises:
      ImageError: a run exceeds the image, pixels are missing, or there is no end marker.
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
        elif value == _END:
            if given.count(0):
                raise ImageError(
                    say(
                        "it has no values for {count:,} of its pixels, which viewers display "
                        "differently",
                        count=given.count(0),
                    )
                )
            return np.frombuffer(samples, np.uint8).reshape(height, width)
        else:
            right, up = _take(content, place, 2) if value == _MOVE else (-x, 1)
            place += 2 if value == _MOVE else 0
            x, y = x + right, y + up
            continue
        if x + count > width or y >= height:
            raise ImageError(say("a run of pixels exceeds the image"))
        where = slice(y * width + x, y * width + x + count)
        samples[where], given[where] = run[:count], b"\1" * count
        x += count
    raise ImageError(say("it has too many runs"))


def _take(content: bytes, place: int, size: int) -> bytes:
    taken = content[place : place + size]
    if len(taken) < size:
        raise ImageError(say("it is truncated in its pixels"))
    return taken


def _split(data: bytes, bits: int) -> bytes:
    """Return one byte for each pixel."""
    return data if bits == 8 else bytes(half for byte in data for half in (byte >> 4, byte & 15))
