"""Whether a PNG has all its rows of pixels; Pillow fills missing ones with zeros."""

import struct
import zlib
from collections.abc import Iterator

from clearcnn.data.image_error import ImageError
from clearcnn.data.png import SIGNATURE
from clearcnn.language import say

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# (first column, first row, columns apart, rows apart) of the passes of Adam7.
_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
_PIECE_BYTES = 2**16


def verify_rows(content: bytes) -> None:
    """Check that the image data of a PNG decompress to every row.

    Args:
      content: a whole file that `verify_png` accepts, of an allowed number of pixels.
    Raises:
      ImageError: rows are missing, or the data cannot be decompressed.
    Source: W3C PNG Specification, sections 7 to 10.
    """
    width, height, depth, color, _, _, interlace = struct.unpack_from(">II5B", content, 16)
    if color not in _CHANNELS:
        return  # Pillow rejects it.
    expected = count_bytes(width, height, depth * _CHANNELS[color], is_interlaced=bool(interlace))
    inflate = zlib.decompressobj()
    found = 0
    try:
        for chunk in _find_data(content):
            rest = chunk
            while rest and found < expected:
                found += len(inflate.decompress(rest, _PIECE_BYTES))
                rest = inflate.unconsumed_tail
    except zlib.error:
        raise ImageError(say("its image data cannot be decompressed")) from None
    if found < expected:
        raise ImageError(
            say(
                "its image data decompress to {found:,} bytes, and {width}×{height} pixels "
                "need {expected:,}",
                found=found,
                width=width,
                height=height,
                expected=expected,
            )
        )


def count_bytes(width: int, height: int, pixel_bits: int, *, is_interlaced: bool) -> int:
    """Count the decompressed bytes of an image: its rows, each after a byte for its filter."""
    total = 0
    for left, top, across, down in _PASSES if is_interlaced else ((0, 0, 1, 1),):
        columns, rows = -((left - width) // across), -((top - height) // down)
        if columns > 0:
            total += rows * (1 + (columns * pixel_bits + 7) // 8)
    return total


def _find_data(content: bytes) -> Iterator[bytes]:
    place, kind = len(SIGNATURE), b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", content, place)
        if kind == b"IDAT":
            yield content[place + 8 : place + 8 + length]
        place += 12 + length
