"""Animated WebP against its container's specification."""

import struct
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from clearcnn.data.decode_image import decode


def _saved(image: Image.Image, kind: str, **options) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("flags", [0x02, 0x12])
@pytest.mark.parametrize(("place", "is_whole"), [((0, 0), True), ((4, 6), False)])
def test_an_animated_webp_lies_on_white_where_its_first_frame_leaves_it_empty(
    place, is_whole, flags
):
    frame = np.random.default_rng(0).integers(0, 200, (10, 12, 3), np.uint8)
    picture = _saved(Image.fromarray(frame), "WEBP", lossless=True)[12:]
    height, width = (10 + place[1], 12 + place[0])

    def chunk(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)

    numbers = (place[0] // 2, place[1] // 2, 11, 9, 100)
    body = b"".join(struct.pack("<I", number)[:3] for number in numbers) + b"\2" + picture
    sides = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    content = b"WEBP" + chunk(b"VP8X", bytes([flags, 0, 0, 0]) + sides)
    content += chunk(b"ANIM", bytes([0, 0, 255, 255, 0, 0])) + chunk(b"ANMF", body) * 2
    shown = decode(b"RIFF" + struct.pack("<I", len(content)) + content, "x")
    expected = np.full((height, width, 3), 255, np.uint8)
    expected[place[1] :, place[0] :] = frame
    np.testing.assert_array_equal(shown.pixels, expected)
    assert shown.notes == (("animated",) if is_whole else ("animated", "transparent"))
