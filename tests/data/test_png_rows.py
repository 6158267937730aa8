import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from clearcnn.data.decode_image import decode
from clearcnn.data.png_rows import count_bytes, verify_rows
from clearcnn.errors import DataError

# Colour type → channels, as in table 11.1 of the PNG specification.
KINDS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width, height, depth, color, interlace, data) -> bytes:
    header = struct.pack(">II5B", width, height, depth, color, 0, 0, interlace)
    palette = chunk(b"PLTE", bytes(range(6))) if color == 3 else b""
    middle = len(data) // 2  # In two chunks, as long files are.
    pieces = chunk(b"IDAT", data[:middle]) + chunk(b"IDAT", data[middle:])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + palette + pieces + chunk(b"IEND", b"")


@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize(
    ("depth", "color"),
    [(1, 0), (2, 0), (8, 0), (16, 0), (8, 2), (16, 2), (1, 3), (8, 3), (8, 4), (8, 6), (16, 6)],
)
def test_one_byte_less_than_every_row_is_rejected(depth, color, interlace):
    rng = np.random.default_rng(depth + 10 * color + interlace)
    for width, height in rng.integers(1, 20, (20, 2)).tolist():
        bits = depth * KINDS[color]
        total = count_bytes(width, height, bits, is_interlaced=bool(interlace))
        whole = png(width, height, depth, color, interlace, zlib.compress(bytes(total)))
        verify_rows(whole)
        # libpng's rules, as Pillow's reader has them, agree that nothing is missing.
        assert decode(whole, "a.png").size == (height, width)
        cut = png(width, height, depth, color, interlace, zlib.compress(bytes(total - 1)))
        with pytest.raises(DataError, match=r"a\.png cannot be read as an image: its image data"):
            decode(cut, "a.png")


@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGB", "RGBA", "P", "I;16"])
def test_what_pillow_writes_has_all_its_rows(mode, interlace):
    for size in ((1, 1), (9, 7), (64, 3)):
        buffer = BytesIO()
        Image.new(mode, size).save(buffer, "PNG", interlace=interlace)
        verify_rows(buffer.getvalue())


def test_more_data_than_rows_are_accepted_as_in_viewers():
    total = count_bytes(5, 4, 8, is_interlaced=False)
    assert decode(png(5, 4, 8, 0, 0, zlib.compress(bytes(total + 100))), "a.png").size == (4, 5)


@pytest.mark.parametrize("color", [0, 2])
def test_data_that_are_not_compressed_are_rejected(color):
    with pytest.raises(DataError, match=r"a\.png cannot be read as an image"):
        decode(png(5, 4, 8, color, 0, b"not zlib data at all"), "a.png")
