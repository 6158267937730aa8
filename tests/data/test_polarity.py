import numpy as np
import pytest

from clearcnn.data import infer_polarity


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits

    return load_digits().images[..., np.newaxis]


def test_digits_are_light_on_dark(digits):
    assert infer_polarity(digits, (0, 16)) == "light_on_dark"
    assert infer_polarity(digits[..., 0], (0, 16)) == "light_on_dark"


def test_inverted_digits_are_dark_on_light(digits):
    assert infer_polarity(16 - digits, (0, 16)) == "dark_on_light"


@pytest.mark.parametrize(("dtype", "high"), [("uint8", 255), ("uint16", 65535), ("float32", 1)])
def test_dtype_and_colour_do_not_matter(digits, dtype, high):
    coloured = np.repeat(digits * (high / 16), 3, axis=-1).astype(dtype)
    assert infer_polarity(coloured, (0, high)) == "light_on_dark"


def test_a_range_around_zero(digits):
    assert infer_polarity(digits / 8 - 1, (-1, 1)) == "light_on_dark"


def test_half_of_each_is_unknown(digits):
    mixed = digits.copy()
    mixed[::2] = 16 - mixed[::2]
    assert infer_polarity(mixed, (0, 16)) == "unknown"


def test_noise_flat_images_and_gradients_are_unknown():
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 256, (50, 16, 16, 3), dtype=np.uint8)
    assert infer_polarity(noise, (0, 255)) == "unknown"
    assert infer_polarity(np.zeros((50, 16, 16, 1)), (0, 255)) == "unknown"
    gradient = np.broadcast_to(np.linspace(0, 255, 16), (50, 16, 16))
    assert infer_polarity(gradient, (0, 255)) == "unknown"


def test_nothing_to_look_at_is_unknown():
    assert infer_polarity(np.zeros((0, 8, 8, 1)), (0, 1)) == "unknown"
    assert infer_polarity(np.zeros((5, 2, 2, 1)), (0, 1)) == "unknown"


def test_the_images_are_left_as_they_are(digits):
    before = digits.copy()
    infer_polarity(digits, (0, 16))
    np.testing.assert_array_equal(digits, before)
