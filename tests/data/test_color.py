import numpy as np
import pytest
from PIL import Image

from clearcnn.data.color import is_grey, to_grayscale, to_rgb


def test_luma_equals_pillows():
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    expected = np.asarray(Image.fromarray(pixels).convert("L"))
    np.testing.assert_array_equal(to_grayscale(pixels)[..., 0], expected)


@pytest.mark.parametrize("dtype", [np.uint16, np.float32, np.float64])
def test_luma_of_deep_colours_is_the_weighted_sum(dtype):
    pixels = np.random.default_rng(1).integers(0, 65536, (9, 7, 3)).astype(dtype)
    pixels[0] = 65535
    expected = pixels.astype(float) @ [0.299, 0.587, 0.114]
    grey = to_grayscale(pixels)
    assert grey.dtype == dtype
    assert grey.shape == (9, 7, 1)
    np.testing.assert_allclose(grey[..., 0], expected, rtol=1e-6, atol=1.5)


def test_greys_are_told_from_colours_in_a_single_pixel():
    pixels = np.full((2, 4, 4, 3), 7, np.uint8)
    assert is_grey(pixels)
    pixels[1, 3, 3, 2] = 8
    assert not is_grey(pixels)
    assert is_grey(pixels[..., :1])


def test_grey_to_rgb_and_back_changes_nothing():
    grey = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    assert is_grey(to_rgb(grey))
    np.testing.assert_array_equal(to_grayscale(to_rgb(grey)), grey)
