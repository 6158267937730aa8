"""GIF against its specification: frames smaller than their canvas, and colours of their own."""

import struct

import numpy as np
import pytest

from clearcnn.data.decode_image import decode
from clearcnn.errors import DataError

CANVAS = (9, 12)  # height, width
COLORS = np.random.default_rng(0).integers(0, 255, (16, 3), np.uint8)
OWN = np.random.default_rng(1).integers(0, 255, (8, 3), np.uint8)
GREYS = np.repeat(np.arange(4, dtype=np.uint8)[:, np.newaxis], 3, axis=1)


def _table(colors: np.ndarray | None) -> tuple[int, bytes]:
    if colors is None:
        return 0, b""
    return 0x80 | (len(colors).bit_length() - 2), colors.tobytes()


def _packed(indices: np.ndarray, bits: int) -> bytes:
    """LZW that clears its table before the codes grow."""
    codes, flat = [], indices.ravel().tolist()
    for k in range(0, len(flat), 2**bits - 2):
        codes += [2**bits, *flat[k : k + 2**bits - 2]]
    word = "".join(format(code, f"0{bits + 1}b")[::-1] for code in [*codes, 2**bits + 1])
    word += "0" * (-len(word) % 8)
    data = bytes(int(word[k : k + 8][::-1], 2) for k in range(0, len(word), 8))
    assert len(data) < 256
    return bytes([bits, len(data)]) + data + b"\0"


def _gif(shared, own, indices, place, transparent=None) -> bytes:
    flags, table = _table(shared)
    content = b"GIF89a" + struct.pack("<HHBBB", *CANVAS[::-1], flags, 3, 0) + table
    if transparent is not None:
        content += b"!\xf9\4" + struct.pack("<BHB", 1, 0, transparent) + b"\0"
    flags, table = _table(own)
    height, width = indices.shape
    content += b"," + struct.pack("<HHHHB", *place, width, height, flags) + table
    return content + _packed(indices, 4) + b";"


@pytest.mark.parametrize("transparent", [None, 0, 2])
@pytest.mark.parametrize("place", [(0, 0, 12, 9), (2, 3, 5, 4), (0, 5, 12, 4)])
@pytest.mark.parametrize("own", [None, OWN, GREYS], ids=["shared", "own", "greys"])
@pytest.mark.parametrize("shared", [COLORS, None], ids=["16 colours", "none"])
def test_frames_have_their_own_colours_and_lie_on_white(shared, own, place, transparent):
    colors = shared if own is None else own
    left, top, width, height = place
    indices = np.random.default_rng(2).integers(0, 4, (height, width))
    content = _gif(shared, own, indices, (left, top), transparent)
    if colors is None:
        with pytest.raises(DataError, match="it has neither a global palette"):
            decode(content, "x")
        return
    expected = np.full((*CANVAS, 3), 255, np.uint8)
    frame = colors[indices]
    frame[indices == transparent] = 255
    expected[top : top + height, left : left + width] = frame
    picture = decode(content, "x")
    np.testing.assert_array_equal(np.broadcast_to(picture.pixels, expected.shape), expected)
    covers = (height, width) == CANVAS
    assert ("transparent" in picture.notes) == (transparent is not None or not covers)


def test_a_gif_without_a_frame_is_refused():
    flags, table = _table(COLORS)
    head = b"GIF89a" + struct.pack("<HHBBB", *CANVAS[::-1], flags, 3, 0) + table
    with pytest.raises(DataError, match="x cannot be read as an image: its GIF data are"):
        decode(head + b";", "x")
