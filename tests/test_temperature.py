"""Temperature scaling against SciPy's softmax."""

import numpy as np
import pytest
from scipy.special import softmax

from clearcnn.temperature import apply_temperature

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(1_000, 7)) * 2
PROBABILITIES = softmax(LOGITS, axis=1)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 2e-6), (np.float64, 1e-12)])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_the_temperature_divides_the_logits(temperature, dtype, tolerance):
    # Above float32's resolution, below which probabilities are clipped.
    logits = np.clip(LOGITS, -4, 4) / 2
    found = apply_temperature(softmax(logits, axis=1).astype(dtype), temperature)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, softmax(logits / temperature, axis=1), atol=tolerance)


def test_a_temperature_of_one_changes_nothing():
    np.testing.assert_array_equal(apply_temperature(PROBABILITIES, 1.0), PROBABILITIES)


def test_probabilities_of_zero_and_no_images_are_accepted():
    found = apply_temperature(np.eye(3, dtype=np.float32), 2.0)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found.argmax(axis=1), [0, 1, 2])
    assert apply_temperature(np.empty((0, 3)), 2.0).shape == (0, 3)
