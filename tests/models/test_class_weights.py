"""The weights of images, against scikit-learn."""

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from clearcnn.models import weigh_images

LABELS = np.repeat([0, 1, 4], [50, 20, 3])


def test_a_power_of_one_is_balanced() -> None:
    np.testing.assert_allclose(weigh_images(LABELS, 1.0), compute_sample_weight("balanced", LABELS))


def test_a_power_of_zero_weighs_all_the_same() -> None:
    np.testing.assert_array_equal(weigh_images(LABELS, 0.0), 1)


def test_the_mean_is_one() -> None:
    weights = weigh_images(LABELS, 0.5)
    assert weights[-1] / weights[0] == pytest.approx((50 / 3) ** 0.5)
    assert weights.mean() == pytest.approx(1)
