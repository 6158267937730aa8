"""Flipped labels are found; a doubtful class is not blamed for being doubtful."""

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from clearcnn.evaluation import find_suspects, measure_margins, rank_suspects


def test_flipped_digits_come_first():
    """Of 90 flipped labels of 1,797, nearly all are among the first 6 %."""
    images, truth = load_digits(return_X_y=True)
    rng = np.random.default_rng(0)
    flipped = rng.choice(len(truth), 90, replace=False)
    labels = truth.copy()
    labels[flipped] = (truth[flipped] + rng.integers(1, 10, 90)) % 10
    model = LogisticRegression(max_iter=300, C=0.01)
    chances = cross_val_predict(model, images / 16, labels, cv=5, method="predict_proba")
    first = rank_suspects(labels, chances)[: round(0.06 * len(labels))]
    assert np.isin(flipped, first).mean() >= 0.8
    found = find_suspects(labels, chances)
    assert np.isin(found, flipped).mean() >= 0.6
    assert np.isin(flipped, found).mean() >= 0.6
    assert found[0] == rank_suspects(labels, chances)[0]


def test_sure_and_right_is_no_suspect():
    labels = np.arange(30) % 3
    chances = np.full((30, 3), 0.05)
    chances[np.arange(30), labels] = 0.9
    assert len(find_suspects(labels, chances)) == 0


def test_a_class_the_model_is_never_sure_of_is_not_suspect_as_a_whole():
    """Class 0 gets 0.6 at best: by its own standard that is much; 0.2 is little."""
    labels = np.array([0] * 10 + [1] * 10)
    chances = np.array([[0.6, 0.4]] * 9 + [[0.2, 0.8]] + [[0.01, 0.99]] * 10)
    assert rank_suspects(labels, chances)[0] == 9
    margins = measure_margins(labels, chances)
    assert margins[0] > margins[9] + 0.5


def test_a_class_without_images_takes_part_in_nothing():
    labels = np.array([0, 0, 1, 1])
    chances = np.array([[0.8, 0.1, 0.1], [0.7, 0.1, 0.2], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1]])
    assert len(find_suspects(labels, chances)) == 0
    assert sorted(rank_suspects(labels, chances)) == [0, 1, 2, 3]
