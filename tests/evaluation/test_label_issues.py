"""Planted label errors are found; the errors of weak models are not blamed on the labels."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from clearcnn.evaluation import estimate_label_errors, find_suspects

IMAGES, TRUTH = load_digits(return_X_y=True)


def plant(truth, number):
    """Change so many labels into others; return the labels and the rows."""
    rng = np.random.default_rng(0)
    rows = rng.choice(len(truth), number, replace=False)
    labels = truth.copy()
    labels[rows] = (truth[rows] + rng.integers(1, 10, number)) % 10
    return labels, rows


def predict(pixels, labels, strength=0.01):
    model = LogisticRegression(max_iter=1_000, C=strength)
    return cross_val_predict(model, pixels, labels, cv=5, method="predict_proba")


def test_flipped_digits_are_found():
    labels, flipped = plant(TRUTH, 90)
    found = find_suspects(labels, predict(IMAGES / 16, labels))
    assert np.isin(flipped, found).mean() >= 0.8
    assert np.isin(found, flipped).mean() >= 0.85
    assert np.isin(found[:60], flipped).mean() >= 0.95


def test_errors_that_repeat_are_found():
    """Every tenth 1 is called 7, and every tenth 4 is called 9: a model learns that as 10 %."""
    labels = TRUTH.copy()
    for digit, other in ((1, 7), (4, 9)):
        labels[np.flatnonzero(digit == TRUTH)[::10]] = other
    swapped = np.flatnonzero(labels != TRUTH)
    found = find_suspects(labels, predict(IMAGES / 16, labels, strength=0.1))
    assert np.isin(swapped, found).mean() >= 0.6
    assert np.isin(found, swapped).mean() >= 0.6


def test_errors_of_a_weak_model_are_not_blamed_on_the_labels():
    """From eight pixels of 300 digits it takes half of them for another."""
    pixels, truth = IMAGES[:300, 18:26] / 16, TRUTH[:300]
    labels, flipped = plant(truth, 15)
    chances = predict(pixels, labels, strength=1)
    assert (chances.argmax(axis=1) != labels).mean() > 0.4
    found = find_suspects(labels, chances)
    assert len(found) <= 15
    assert np.isin(found, flipped).mean() >= 0.5
    assert np.isin(flipped, found).mean() >= 0.4


@pytest.mark.parametrize(("number", "classes"), [(20, 2), (60, 2), (50, 10), (200, 40)])
def test_useless_models_make_no_suspects(number, classes):
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(number) % classes)
    for concentration in (0.1, 0.3, 1, 5):
        chances = rng.dirichlet([concentration] * classes, number)
        assert len(find_suspects(labels, chances)) <= 0.05 * number


def test_the_estimates_are_calibrated():
    """Labels drawn as the model says, of which a known part was replaced."""
    rng = np.random.default_rng(0)
    chances = rng.dirichlet([0.3] * 5, 20_000)
    truth = (chances.cumsum(axis=1) > rng.random((len(chances), 1))).argmax(axis=1)
    is_wrong = rng.random(len(truth)) < 0.08
    labels = np.where(is_wrong, (truth + rng.integers(1, 5, len(truth))) % 5, truth)
    flattened = np.sqrt(chances)
    flattened /= flattened.sum(axis=1, keepdims=True)
    wrong = estimate_label_errors(labels, flattened)
    assert wrong.mean() == pytest.approx(is_wrong.mean(), abs=0.01)
    for low, high in ((0.02, 0.1), (0.1, 0.3), (0.3, 0.7), (0.7, 1.0)):
        rows = (wrong >= low) & (wrong < high)
        assert rows.sum() > 100
        assert is_wrong[rows].mean() == pytest.approx(wrong[rows].mean(), abs=0.06)


def test_sure_and_right_is_no_suspect():
    labels = np.arange(30) % 3
    chances = np.full((30, 3), 0.05)
    chances[np.arange(30), labels] = 0.9
    assert len(find_suspects(labels, chances)) == 0
    certain = np.eye(3)[labels]
    assert len(find_suspects(labels, certain)) == 0
    labels[7] = (labels[7] + 1) % 3
    assert find_suspects(labels, certain).tolist() == [7]


def test_a_class_the_model_is_never_sure_of_is_not_suspect_as_a_whole():
    """Class 0 gets 0.6 at best: by its own standard that is much; 0.01 is little."""
    labels = np.array([0] * 20 + [1] * 20)
    chances = np.array([[0.6, 0.4]] * 19 + [[0.01, 0.99]] * 21)
    assert find_suspects(labels, chances).tolist() == [19]


def test_a_class_without_images_takes_part_in_nothing():
    labels = np.array([0, 0, 1, 1])
    chances = np.array([[0.8, 0.1, 0.1], [0.7, 0.1, 0.2], [0.1, 0.8, 0.1], [0.2, 0.7, 0.1]])
    assert len(find_suspects(labels, chances)) == 0
