"""The range that images make use of, from the source through the contract to a prediction."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearcnn.data.bit_depth import find_used_range
from clearcnn.data.single_image import prepare_image
from clearcnn.data.sources import load


@pytest.mark.parametrize(
    ("largest", "dtype", "are_files", "white"),
    [
        (16, np.uint8, False, 16),
        (1, np.uint8, False, 1),
        (13, np.uint8, False, 15),
        (16, np.uint8, True, 255),
        (100, np.uint8, False, 255),
        (255, np.uint8, False, 255),
        (0, np.uint8, False, 255),
        (200, np.uint16, True, 255),
        (1000, np.uint16, True, 1023),
        (4000, np.uint16, False, 4095),
        (4096, np.uint16, True, 16383),
        (60000, np.uint16, False, 65535),
    ],
)
def test_white_is_the_next_usual_value(largest, dtype, are_files, white):
    images = np.zeros((2, 3, 3, 1), dtype)
    images[1, 2, 2, 0] = largest
    found, said = find_used_range(images, are_files=are_files)
    assert found == (0, white)
    assert bool(said) == (white != np.iinfo(dtype).max)
    assert all(f"is {largest:,}, so" in sentence for sentence in said)


def _save(folder: Path, *, white: int, dtype: type, count: int = 4) -> None:
    rng = np.random.default_rng(white)
    for name in ("a", "b"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pixels = rng.integers(0, white + 1, (6, 5)).astype(dtype)
            pixels[0, 0] = white
            Image.fromarray(pixels).save(folder / name / f"{white}-{number}.png")


def test_12_bits_in_16_keep_their_range_and_8_bits_join_them_at_the_same_brightness(tmp_path):
    _save(tmp_path, white=4000, dtype=np.uint16)
    data = load(tmp_path)
    assert data.value_range == (0, 4095)
    assert data.images.max() == 4000
    assert any("is 4,000, so the range" in sentence for sentence in data.preparation)
    _save(tmp_path, white=255, dtype=np.uint8, count=1)
    both = load(tmp_path)
    assert both.value_range == (0, 4095)
    row = both.names.index("a/255-0.png")
    with Image.open(tmp_path / "a/255-0.png") as image:
        eight = np.asarray(image)
    np.testing.assert_array_equal(both.images[row, ..., 0], np.rint(eight / 255 * 4095))


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_prediction_scales_to_the_range_of_training_and_says_so():
    options = {
        "size": (2, 2),
        "color_mode": "grayscale",
        "dtype": "uint16",
        "value_range": (0.0, 4095.0),
    }
    twelve = np.array([[0, 1000], [2000, 4095]], np.uint16)
    same = prepare_image(_png(twelve), "x", **options)
    np.testing.assert_array_equal(same.pixels[..., 0], twelve)
    assert same.preparation == ()
    eight = prepare_image(_png(np.array([[0, 51], [102, 255]], np.uint8)), "x", **options)
    np.testing.assert_array_equal(eight.pixels[..., 0], [[0, 819], [1638, 4095]])
    assert "0 to 255 scaled to 0 to 4095" in eight.preparation[0]
    sixteen = prepare_image(_png(twelve * np.uint16(16)), "x", **options)
    np.testing.assert_allclose(sixteen.pixels[..., 0], twelve, atol=1)

    # A model of 8 bits cannot know that white is 4,095; it says what it would mean.
    options |= {"dtype": "uint8", "value_range": (0.0, 255.0)}
    dark = prepare_image(_png(twelve), "x", **options)
    assert dark.pixels.max() == 16
    assert "if white is 4,095, it is 16 times too dark" in dark.preparation[-1]
