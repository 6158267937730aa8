"""BMP against a decoder written from Microsoft's "Bitmap Storage", pixel by pixel."""

import struct

import numpy as np
import pytest

from clearcnn.data.decode_image import decode
from clearcnn.errors import DataError

WIDTH, HEIGHT = 11, 7
TWO = [(0, 0, 0), (255, 255, 255)]
PALETTES = {
    "black and white": lambda bits: TWO,
    "white and black": lambda bits: TWO[::-1],
    "black": lambda bits: TWO[:1],
    "first greys": lambda bits: [(k, k, k) for k in range(min(3, 2**bits))],
    "all greys": lambda bits: [(k, k, k) for k in range(2**bits)],
    "colours": lambda bits: [(37 * k % 256, 91 * k % 256, 255 - k) for k in range(2**bits)],
}


def _bmp(rows, bits, *, palette=(), masks=(), size=40, compression=0, is_top_down=False) -> bytes:
    """A BMP of stored rows, each of whole bytes, uppermost first."""
    padded = [row + bytes(-len(row) % 4) for row in (rows if is_top_down else rows[::-1])]
    pixels = b"".join(padded)
    sides = (WIDTH, -HEIGHT if is_top_down else HEIGHT)
    head = struct.pack("<IiiHHIIiiII", size, *sides, 1, bits, compression, 0, 0, 0, len(palette), 0)
    head += struct.pack(f"<{len(masks)}I", *masks)
    head = head.ljust(14 + size - 14, b"\0")
    head += b"".join(bytes(color[::-1]) + b"\0" for color in palette)
    start = 14 + len(head)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + head + pixels


def _packed(samples: np.ndarray, bits: int) -> list[bytes]:
    """Samples of up to 8 bits as rows of bytes, the first pixel in the highest bits."""
    words = ["".join(format(value, f"0{bits}b") for value in row) for row in samples.tolist()]
    filled = [word + "0" * (-len(word) % 8) for word in words]
    return [bytes(int(word[k : k + 8], 2) for k in range(0, len(word), 8)) for word in filled]


def _shown(content: bytes) -> np.ndarray:
    pixels = decode(content, "x").pixels
    return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels


@pytest.mark.parametrize("size", [40, 124])
@pytest.mark.parametrize("is_top_down", [False, True])
@pytest.mark.parametrize("name", PALETTES)
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palettes_of_every_depth_are_looked_up(bits, name, is_top_down, size):
    palette = PALETTES[name](bits)
    samples = np.random.default_rng(bits).integers(0, len(palette), (HEIGHT, WIDTH))
    content = _bmp(
        _packed(samples, bits), bits, palette=palette, is_top_down=is_top_down, size=size
    )
    np.testing.assert_array_equal(_shown(content), np.array(palette)[samples])


@pytest.mark.parametrize(
    ("bits", "masks"),
    [
        (16, (0x7C00, 0x3E0, 0x1F, 0x8000)),
        (16, (0xF800, 0x7E0, 0x1F, 0)),
        (16, (0xF00, 0xF0, 0xF, 0xF000)),
        (16, (0xF800, 0x7C0, 0x3E, 1)),
        (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)),
        (32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000)),
        (32, (0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000)),
    ],
)
@pytest.mark.parametrize("size", [56, 108, 124])
def test_masks_are_followed_and_alpha_is_laid_on_white(bits, masks, size):
    values = np.random.default_rng(bits).integers(0, 2**bits, (HEIGHT, WIDTH), dtype=np.uint64)
    rows = [row.astype(f"<u{bits // 8}").tobytes() for row in values]
    content = _bmp(rows, bits, masks=masks, size=size, compression=3)
    expected = np.zeros((HEIGHT, WIDTH, 3))
    for y, x in np.ndindex(HEIGHT, WIDTH):
        shares = []
        for mask in masks:
            low = mask & -mask
            shares.append((int(values[y, x]) & mask) // low / (mask // low) if mask else 1.0)
        expected[y, x] = [255 * (part * shares[3] + 1 - shares[3]) for part in shares[:3]]
    np.testing.assert_allclose(_shown(content), expected, atol=1.5)


def test_runs_are_laid_out():
    # Runs, pixels one by one (an odd number of bytes is padded), the end of a row.
    row = bytes([5, 2, 0, 3, 0, 1, 2, 0, 3, 1, 0, 0])
    palette = [(0, 0, 0), (255, 255, 255), (9, 99, 200)]
    stored = [2] * 5 + [0, 1, 2] + [1] * 3
    content = _bmp([row * HEIGHT + b"\0\1"], 8, palette=palette, compression=1)
    np.testing.assert_array_equal(_shown(content)[3], np.array(palette)[stored])
    four = bytes([5, 0x21, 0, 6, 0x01, 0x20, 0x12, 0, 0, 0])
    stored = [2, 1, 2, 1, 2, 0, 1, 2, 0, 1, 2]
    content = _bmp([four * HEIGHT + b"\0\1"], 4, palette=palette, compression=2)
    np.testing.assert_array_equal(_shown(content)[3], np.array(palette)[stored])


@pytest.mark.parametrize(
    ("runs", "problem"),
    [
        (b"\0\1", "it has no values for 77 of its pixels"),
        (b"\x0b\1\0\0" * 6 + b"\5\1\0\2\1\0\5\1\0\1", "it has no values for 1 of its pixels"),
        (b"\x0c\1\0\1", "a run of pixels exceeds the image"),
        (b"\x0b\1\0\0" * 8 + b"\0\1", "a run of pixels exceeds the image"),
        (b"\x0b\1\0\0" * 7, "it is truncated in its pixels"),
    ],
)
def test_runs_that_miss_pixels_or_leave_the_picture_are_refused(runs, problem):
    with pytest.raises(DataError, match=problem):
        decode(_bmp([runs], 8, palette=TWO, compression=1) + b"\0" * 0, "x")


def test_what_viewers_show_differently_is_refused():
    rows = [bytes([k, k, k, 128] * WIDTH) for k in range(HEIGHT)]
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    with pytest.raises(DataError, match="viewers display differently"):
        decode(_bmp(rows, 32, masks=masks, size=108), "x")
    opaque = [bytes([k, k, k, 255] * WIDTH) for k in range(HEIGHT)]
    assert decode(_bmp(opaque, 32, masks=masks, size=108), "x").pixels[3, 0, 0] == 3


@pytest.mark.parametrize("masks", [(0, 0, 0, 0), (0xFF, 0xFF, 0xFF00, 0), (0x505, 0xF0, 0xF000, 0)])
def test_masks_that_make_no_sense_are_refused(masks):
    rows = [bytes(4 * WIDTH)] * HEIGHT
    with pytest.raises(DataError, match="its bit masks of red, green, blue and alpha are invalid"):
        decode(_bmp(rows, 32, masks=masks, size=56, compression=3), "x")
