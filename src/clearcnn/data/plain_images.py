"""A fast path for the plainest image files, which are most of those that data sets have.

Of a small JPEG or PNG, Pillow's own parsing of the file takes ten times as long as its decoder. So
a baseline JPEG with one scan, or an 8-bit PNG, without metadata that affect its pixels is parsed
here and given to the same decoder. Every other file, and every file with any fault, is left to
`decode_image`, which gives the same pixels or names the fault.
"""

import struct
import zlib
from typing import NamedTuple

import numpy as np
from PIL import Image

from clearcnn.data import jpeg, png
from clearcnn.data.labelled_images import Images
from clearcnn.data.png_rows import count_bytes

LARGEST_SIDE = 1024
"""In pixels. Larger images wait for memory, and their decoding takes longer than their parsing."""

_FRAME, _TABLES, _SCAN, _END = 0xC0, (0xC4, 0xDB, 0xE0, 0xFE), 0xDA, b"\xff\xd9"
_MODES = {1: "L", 3: "RGB"}
_MOST_SEGMENTS = 100
_EIGHT_BITS: dict[tuple[int, ...], str] = {(8, 0, 0, 0, 0): "L", (8, 2, 0, 0, 0): "RGB"}
_IGNORED = {b"gAMA": 4, b"pHYs": 9, b"sRGB": 1, b"tIME": 7, b"cHRM": 32}


class PlainImage(NamedTuple):
    """The pixels of a plain file.

    Attributes:
      pixels: (height, width, 1 or 3) uint8; 1 if the three are equal everywhere.
      was_color: whether they are grey, but stored in colour.
    """

    pixels: Images
    was_color: bool


def decode_plain(content: bytes) -> PlainImage | None:
    """Decode a plain JPEG or PNG.

    Args:
      content: the whole file.
    Returns:
      PlainImage; None if the file is of another kind, or faulty.
    """
    try:
        if content.startswith(jpeg.SIGNATURE):
            return _decode_jpeg(content)
        if content.startswith(png.SIGNATURE):
            return _decode_png(content)
    # `decode_image` finds the fault again, and describes it.
    except (ValueError, OSError, IndexError, struct.error, zlib.error):
        pass
    return None


def _decode_jpeg(content: bytes) -> PlainImage | None:
    """Decode a baseline JPEG of one scan, twice, to detect missing data as `jpeg` describes."""
    place, mode = len(jpeg.SIGNATURE), ""
    for _ in range(_MOST_SEGMENTS):
        if content[place] != 0xFF:
            return None
        kind, length = content[place + 1], content[place + 2] << 8 | content[place + 3]
        if kind == _FRAME and not mode:
            bits, height, width, channels = struct.unpack_from(">BHHB", content, place + 4)
            mode = _MODES.get(channels, "")
            if bits != 8 or not mode or not 0 < max(width, height) <= LARGEST_SIDE:
                return None
        elif kind == _SCAN:
            break
        elif kind not in _TABLES:
            return None
        place += 2 + length
    else:
        return None
    if not mode or content[place + 4] != channels:
        return None
    end = jpeg.find_first_marker(content, place + 2 + length)
    if content[end : end + 2] != _END:
        return None
    image = Image.frombytes(mode, (width, height), content, "jpeg", mode, "")
    pixels = image.tobytes()
    image.frombytes(content[:end] + jpeg.OTHER_PADDING + _END, "jpeg", mode, "")
    return _to_array(pixels, height, width, channels) if image.tobytes() == pixels else None


def _decode_png(content: bytes) -> PlainImage | None:
    """Decode a PNG with 8 bits a channel, grey or RGB, whose checksums are right."""
    place, last = len(png.SIGNATURE), b""
    pieces: list[bytes] = []
    form: list[int] = []
    for _ in range(_MOST_SEGMENTS):
        length, kind = struct.unpack_from(">I4s", content, place)
        end = place + 8 + length
        (stated,) = struct.unpack_from(">I", content, end)
        if zlib.crc32(memoryview(content)[place + 4 : end]) != stated:
            return None
        if kind == b"IHDR" and length == 13 and not last:
            width, height, *form = struct.unpack_from(">II5B", content, place + 8)
        elif kind == b"IDAT" and (not pieces or last == b"IDAT"):
            pieces.append(content[place + 8 : end])
        elif kind != b"IEND" and _IGNORED.get(kind) != length:
            return None
        place, last = end + 4, kind
        if kind == b"IEND":
            break
    else:
        return None
    mode = _EIGHT_BITS.get(tuple(form))
    if mode is None or not 0 < max(width, height) <= LARGEST_SIDE or not pieces:
        return None
    data = b"".join(pieces)
    whole = count_bytes(width, height, 8 * len(mode), is_interlaced=False)
    if len(zlib.decompressobj().decompress(data, whole)) < whole:
        return None
    image = Image.frombytes(mode, (width, height), data, "zip", mode)
    return _to_array(image.tobytes(), height, width, len(mode))


def _to_array(pixels: bytes, height: int, width: int, channels: int) -> PlainImage:
    # Slices of bytes are compared in a tenth of the time that NumPy takes for so few.
    was_color = channels == 3 and pixels[::3] == pixels[1::3] == pixels[2::3]
    kept, channels = (pixels[::3], 1) if was_color else (pixels, channels)
    return PlainImage(np.frombuffer(kept, np.uint8).reshape(height, width, channels), was_color)
