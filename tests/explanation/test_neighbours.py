"""The nearest, against scikit-learn."""

import numpy as np
from sklearn.neighbors import NearestNeighbors

from clearcnn.explanation import nearest


def test_they_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    own, others = random.normal(size=8), random.normal(size=(5000, 8)).astype(np.float32)
    rows, distances = nearest(own.astype(np.float32), others, 5)
    wanted = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(others.astype(float))
    far, which = wanted.kneighbors(own.astype(np.float32)[np.newaxis].astype(float))
    np.testing.assert_array_equal(rows, which[0])
    np.testing.assert_allclose(distances, far[0], rtol=1e-9)


def test_fewer_than_asked_for_are_all_there_are():
    rows, distances = nearest(np.float32([0, 0]), np.float32([[3, 4], [0, 1]]), 6)
    assert rows.tolist() == [1, 0]
    assert distances.tolist() == [1.0, 5.0]
