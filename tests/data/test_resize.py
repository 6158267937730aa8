import numpy as np
import pytest
from PIL import Image

from clearcnn.data.resize import choose_size, describe_resizing, resize


@pytest.mark.parametrize("size", [(8, 8), (40, 13)])
def test_bytes_are_resized_as_pillow_does(size):
    pixels = np.random.default_rng(0).integers(0, 256, (31, 22, 3), np.uint8)
    picture = Image.fromarray(pixels).resize((size[1], size[0]), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(resize(pixels, size), np.asarray(picture))


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.uint16, 0.51), (np.float32, 1e-2)])
def test_halving_follows_the_antialiased_triangle(dtype, tolerance):
    # At half size the triangle reaches two pixels to each side: weights 1, 3, 3, 1 of 8.
    line = np.random.default_rng(1).integers(0, 65536, 16).astype(dtype)
    pixels = np.tile(line[np.newaxis, :, np.newaxis], (4, 1, 1))
    halved = resize(pixels, (4, 8))
    assert halved.dtype == dtype
    for k in range(1, 7):
        expected = line[2 * k - 1 : 2 * k + 3].astype(float) @ [1, 3, 3, 1] / 8
        np.testing.assert_allclose(halved[:, k, 0], expected, atol=tolerance)


def test_the_same_size_is_left_alone():
    pixels = np.zeros((5, 6, 1), np.uint8)
    assert resize(pixels, (5, 6)) is pixels


@pytest.mark.parametrize(
    ("sizes", "chosen"),
    [
        ([(28, 28)] * 3, (28, 28)),
        ([(96, 20)], (96, 20)),
        ([(3000, 4000)] * 2, (72, 96)),
        ([(10, 30), (20, 20), (90, 10)], (20, 20)),
        ([(10, 10), (11, 10)], (11, 10)),
        ([(100, 1000), (100, 1000), (90, 1000)], (10, 96)),
        ([(1, 5000)], (1, 96)),
    ],
)
def test_the_size_is_the_common_or_the_median_one_up_to_96_pixels(sizes, chosen):
    assert choose_size(sizes) == chosen


def test_what_was_done_to_sizes_is_said():
    assert describe_resizing([(8, 8)], (8, 8), asked=True) is None
    mixed = describe_resizing([(8, 8), (10, 12)], (9, 10), asked=False) or ""
    assert "2 sizes from 8×8 to 10×12" in mixed
    assert "9×10 (height × width), the median" in mixed
    assert "as requested" in (describe_resizing([(8, 8)], (9, 9), asked=True) or "")
    assert "longer side has 96" in (describe_resizing([(192, 96)], (96, 48), asked=False) or "")
