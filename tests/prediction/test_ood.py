"""The threshold against counting."""

import numpy as np
import pytest
from scipy.special import softmax

from clearcnn.prediction import find_threshold, is_unlike

RANDOM = np.random.default_rng(0)
CHANCES = softmax(RANDOM.normal(size=(1_000, 7)) * 2, axis=1)
DISTANCES = RANDOM.gamma(9, size=(1_000, 7))


@pytest.mark.parametrize("n", [100, 199, 200, 1_000])
def test_at_most_one_in_a_hundred_is_a_false_alarm(n):
    threshold, false_alarms = find_threshold(CHANCES[:n])
    flagged = is_unlike(CHANCES[:n], None, threshold)
    assert false_alarms == flagged.sum() == n // 100
    surest_flagged = CHANCES[:n][flagged].max(axis=1).max()
    assert surest_flagged < threshold < CHANCES[:n][~flagged].max(axis=1).min()


@pytest.mark.parametrize("n", [100, 199, 200, 1_000])
def test_with_distances_what_is_far_for_its_confidence_is_flagged(n):
    chances, distances = CHANCES[:n], DISTANCES[:n]
    threshold, false_alarms = find_threshold(chances, distances)
    flagged = is_unlike(chances, distances, threshold)
    assert false_alarms == flagged.sum() == n // 100
    for row in range(n):
        beyond = min(distances[row]) > threshold * max(chances[row])
        assert flagged[row] == beyond


def test_the_farther_and_the_less_sure_the_sooner():
    chances = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.9, 0.1]])
    distances = np.array([[9, 2.6], [9, 2.8], [9, 2.6], [np.nan, 1.0]])
    assert is_unlike(chances, distances, 3.0).tolist() == [False, True, True, True]


@pytest.mark.parametrize("distances", [None, np.full((150, 4), 7.0)])
def test_equal_images_are_never_flagged_among_themselves(distances):
    expected = 0.25 if distances is None else 28
    assert find_threshold(np.full((150, 4), 0.25), distances) == (expected, 0)


def test_few_images_give_no_threshold_and_no_flag():
    assert find_threshold(CHANCES[:99]) is None
    assert find_threshold(CHANCES[:99], DISTANCES[:99]) is None
    assert not is_unlike(CHANCES, None, None).any()
    assert not is_unlike(CHANCES, DISTANCES, None).any()
