import struct
import zlib
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from clearcnn.data.png import PngHeader, verify_png


def _png(mode: str = "L") -> bytes:
    buffer = BytesIO()
    Image.new(mode, (9, 7)).save(buffer, "png")
    return buffer.getvalue()


def test_whole_files_tell_their_depth_and_colour():
    assert verify_png(_png("L")) == PngHeader(8, is_coloured=False)
    assert verify_png(_png("1")) == PngHeader(1, is_coloured=False)
    assert verify_png(_png("I;16")) == PngHeader(16, is_coloured=False)
    assert verify_png(_png("RGB")) == PngHeader(8, is_coloured=True)
    assert verify_png(_png() + b"trailing bytes") == PngHeader(8, is_coloured=False)


@given(st.integers(8, len(_png()) - 1))
def test_any_cut_is_noticed(length):
    with pytest.raises(ValueError, match="truncated"):
        verify_png(_png()[:length])


@given(st.integers(8, len(_png()) - 1), st.integers(1, 255))
def test_any_changed_byte_is_noticed(place, change):
    content = bytearray(_png())
    content[place] ^= change
    with pytest.raises(ValueError, match=r"checksum|truncated|header"):
        verify_png(bytes(content))


def test_a_file_without_a_header_is_refused():
    end = struct.pack(">I", 0) + b"IEND" + struct.pack(">I", zlib.crc32(b"IEND"))
    with pytest.raises(ValueError, match="header"):
        verify_png(_png()[:8] + end)


def test_chunks_without_end_are_refused():
    empty = struct.pack(">I", 0) + b"tIME" + struct.pack(">I", zlib.crc32(b"tIME"))
    content = _png()
    with pytest.raises(ValueError, match="more than 100,000 chunks"):
        verify_png(content[:33] + empty * 100_001 + content[33:])
