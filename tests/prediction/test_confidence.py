"""Temperature against SciPy's softmax."""

import numpy as np
import pytest
from scipy.special import softmax

from clearcnn import evaluation
from clearcnn.prediction import apply_temperature

RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(1_000, 7)) * 2
CHANCES = softmax(LOGITS, axis=1)


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
def test_the_temperature_divides_the_logits(temperature):
    found = apply_temperature(CHANCES, temperature)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, softmax(LOGITS / temperature, axis=1), atol=2e-6)
    np.testing.assert_allclose(
        found, evaluation.apply_temperature(CHANCES, temperature), rtol=0, atol=1e-7
    )


def test_certainty_and_no_image_are_no_obstacle():
    found = apply_temperature(np.eye(3, dtype=np.float32), 2.0)
    assert np.isfinite(found).all()
    np.testing.assert_array_equal(found.argmax(axis=1), [0, 1, 2])
    assert apply_temperature(np.empty((0, 3)), 2.0).shape == (0, 3)
