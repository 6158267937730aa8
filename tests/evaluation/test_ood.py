"""Distances to classes, against scikit-learn's covariance and SciPy's Mahalanobis."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.covariance import ShrunkCovariance

from clearcnn.evaluation import fit_distances

RANDOM = np.random.default_rng(0)


def make_features(n: int, num_features: int = 6) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(n) % 3
    mixing = RANDOM.normal(size=(num_features, num_features))
    centres = 5 * RANDOM.normal(size=(3, num_features))
    return RANDOM.normal(size=(n, num_features)) @ mixing + centres[labels], labels


def measure(weights, features):
    whitened = features @ weights.whitening + weights.offset
    return cdist(whitened, weights.centres)


@pytest.mark.parametrize("n", [400, 9], ids=["many", "fewer than can be inverted"])
def test_it_is_mahalanobis_with_a_shrunk_covariance_within_classes(n):
    features, labels = make_features(n, 6 if n > 100 else 20)
    scaled = (features - features.mean(axis=0)) / features.std(axis=0)
    centres = np.stack([scaled[labels == k].mean(axis=0) for k in range(3)])
    shrunk = ShrunkCovariance(shrinkage=0.001, assume_centered=True).fit(scaled - centres[labels])
    expected = cdist(scaled, centres, "mahalanobis", VI=shrunk.precision_)
    weights = fit_distances(features, labels)
    assert {weights.whitening.dtype, weights.offset.dtype, weights.centres.dtype} == {
        np.dtype(np.float32)
    }
    np.testing.assert_allclose(measure(weights, features), expected, rtol=1e-3, atol=1e-3)


def test_scale_and_origin_of_a_feature_change_nothing():
    features, labels = make_features(300)
    before = measure(fit_distances(features, labels), features)
    turned = features * [1, 10, 0.1, 3, 1, -1] + [0, 100, 0, -5, 1, 0]
    after = measure(fit_distances(turned, labels), turned)
    np.testing.assert_allclose(after, before, rtol=1e-3, atol=1e-2)


def test_only_classes_with_images_have_a_centre():
    features, labels = make_features(300)
    seen = labels != 1
    weights = fit_distances(features[seen], labels[seen])
    assert weights.centres.shape == (2, 6)
    nearest = measure(weights, features[seen]).argmin(axis=1)
    assert (nearest == labels[seen] // 2).mean() > 0.9


def test_a_feature_that_never_changed_tells_when_it_does():
    features, labels = make_features(300)
    features[:, 2] = 0
    weights = fit_distances(features, labels)
    moved = features.copy()
    moved[:, 2] = 5
    assert np.isfinite(measure(weights, features)).all()
    assert measure(weights, moved).min() > 2 * measure(weights, features).min(axis=1).max()


def test_images_that_are_all_the_same_can_be_measured():
    weights = fit_distances(np.ones((5, 3)), [0, 0, 1, 1, 1])
    np.testing.assert_allclose(measure(weights, np.ones((1, 3))), 0, atol=1e-5)
    assert measure(weights, np.full((1, 3), 2.0)).min() > 1
