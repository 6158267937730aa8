"""PBM, PGM and PPM, compared with Pillow's reader where that is strict enough."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from clearcnn.data.decode_image import decode
from clearcnn.errors import DataError

from .conftest import SHARED

RNG = np.random.default_rng(0)


def _with_pillow(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        pixels = np.asarray(image.convert("L") if image.mode == "1" else image)
    return pixels if pixels.ndim == 3 else pixels[..., np.newaxis]


def _binary(kind: str, pixels: np.ndarray, maximum: int) -> bytes:
    height, width = pixels.shape[:2]
    values = pixels.astype(">u2" if maximum > 255 else "u1").tobytes()
    return f"{kind} # by a test\n{width} {height}\n{maximum}\n".encode() + values


def _text(kind: str, pixels: np.ndarray, maximum: int) -> bytes:
    height, width = pixels.shape[:2]
    lines = "\n".join(" ".join(map(str, row)) for row in pixels.reshape(height, -1).tolist())
    return f"{kind}\n# by a test\n{width} {height} {maximum}\n{lines}\n".encode()


@pytest.mark.parametrize("maximum", [1, 15, 100, 255, 1000, 4095, 65535])
@pytest.mark.parametrize(("binary", "text", "channels"), [("P5", "P2", 1), ("P6", "P3", 3)])
def test_greys_and_colours_are_scaled_as_by_pillow(binary, text, channels, maximum):
    pixels = RNG.integers(0, maximum + 1, (7, 5, channels))
    content = _binary(binary, pixels, maximum)
    decoded = decode(content, "x")
    np.testing.assert_array_equal(decoded.pixels, _with_pillow(content))
    again = decode(_text(text, pixels, maximum), "x")
    np.testing.assert_array_equal(again.pixels, decoded.pixels)
    assert ("reduced" in decoded.notes) == (channels == 3 and maximum > 255)


def test_bitmaps_are_black_where_they_are_1():
    bits = RNG.integers(0, 2, (5, 11))
    image = Image.fromarray(((1 - bits) * 255).astype(np.uint8)).convert("1")
    buffer = io.BytesIO()
    image.save(buffer, "PPM")  # Pillow writes P4 for this mode.
    assert buffer.getvalue().startswith(b"P4")
    expected = (1 - bits)[..., np.newaxis] * 255
    np.testing.assert_array_equal(decode(buffer.getvalue(), "x").pixels, expected)
    digits = "".join(map(str, bits.reshape(-1)))
    np.testing.assert_array_equal(decode(f"P1 11 5 {digits}".encode(), "x").pixels, expected)


def test_a_large_file_is_only_measured_if_asked():
    content = _binary("P5", RNG.integers(0, 256, (6, 9, 1)), 255)
    measured = decode(content, "x", measure_above=8)
    assert measured.size == (6, 9)
    assert measured.pixels is None


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"P5", "its PGM header is damaged"),
        (b"P5 3 -3 255\n123456789", "its PGM header is damaged"),
        (b"P5 0 3 255\n", "its size is 0×3 pixels"),
        (b"P5 3 3 0\n123456789", "its largest value is 0"),
        (b"P5 3 3 70000\n123456789", "its largest value is 70000"),
        (b"P5 3 3 255\n12345678", "its PGM data are truncated"),
        (b"P5 3 3 255\n1234567890", "it has 1 bytes more than 3×3 pixels take"),
        (b"P5 3 3 9\n123456789", "it has the value 57, above its maximum 9"),
        (b"P5 99999 99999 255\n1", "decompresses to 99999×99999 pixels"),
        (b"P2 2 2 255\n1 2 3", "it has 3 values; expected 4"),
        (b"P2 2 2 255\n1 2 3 4 5", "it has 5 values; expected 4"),
        (b"P2 2 2 255\n1 2 3 256", "it has the value 256"),
        (b"P2 2 2 255\n1 2 3 99999999999999999999999", "above its maximum 255"),
        (b"P2 2 2 255\n1 2 3 -4", "its PGM data are not numbers only"),
        (b"P1 2 2\n0 1 1 2", "it has the value 2"),
        (b"P7\nWIDTH 2\n", "it is not a PNG"),
    ],
)
def test_broken_files_are_refused(content, problem):
    with pytest.raises(DataError, match=problem):
        decode(content, "x")


@pytest.mark.parametrize("name", ["att_faces", "gtsrb"])
def test_real_files_are_as_in_pillow(name):
    archive = SHARED / "pictures" / f"{name}.zip"
    if not archive.exists():
        pytest.skip("shared/data/pictures is not beside the repository")
    with zipfile.ZipFile(archive) as packed:
        names = [each for each in packed.namelist() if each.endswith((".pgm", ".ppm"))][:40]
        assert len(names) == 40
        for each in names:
            content = packed.read(each)
            pixels = decode(content, each).pixels
            # A picture without colour has one channel.
            np.testing.assert_array_equal(
                np.broadcast_to(pixels, _with_pillow(content).shape), _with_pillow(content)
            )
