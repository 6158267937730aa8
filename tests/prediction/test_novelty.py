"""The thresholds against counting."""

import numpy as np
import pytest
from scipy.special import softmax

from clearcnn.prediction import Thresholds, find_thresholds, is_unlike

RANDOM = np.random.default_rng(0)
CHANCES = softmax(RANDOM.normal(size=(1_000, 7)) * 2, axis=1)
DISTANCES = RANDOM.gamma(9, size=(1_000, 7))


@pytest.mark.parametrize("n", [100, 199, 200, 1_000])
def test_at_most_one_in_a_hundred_is_a_false_alarm(n):
    thresholds, false_alarms = find_thresholds(CHANCES[:n])
    flagged = is_unlike(CHANCES[:n], None, thresholds)
    assert false_alarms == flagged.sum() == n // 100
    surest_flagged = CHANCES[:n][flagged].max(axis=1).max()
    assert surest_flagged < thresholds.confidence < CHANCES[:n][~flagged].max(axis=1).min()
    assert thresholds.distance is None


@pytest.mark.parametrize("n", [100, 200, 1_000])
def test_both_thresholds_together_have_no_more_and_as_many_each(n):
    chances, distances = CHANCES[:n], DISTANCES[:n]
    thresholds, false_alarms = find_thresholds(chances, distances)
    assert false_alarms == is_unlike(chances, distances, thresholds).sum() <= n // 100
    unsure = (chances.max(axis=1) < thresholds.confidence).sum()
    assert unsure == (distances.min(axis=1) > thresholds.distance).sum()
    assert unsure == {100: 0, 200: 1, 1_000: 5}[n]


def test_an_image_beyond_both_is_counted_once():
    nearest = -CHANCES.max(axis=1, keepdims=True)
    distances = np.repeat(10 + nearest, 7, axis=1)
    assert find_thresholds(CHANCES, distances)[1] == 10


def test_one_beyond_is_enough_and_without_distances_the_other_still_tells():
    thresholds = Thresholds(0.5, 3.0)
    chances = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.3], [0.4, 0.3], [0.9, 0.1]])
    distances = np.array([[9, 2.9], [9, 3.1], [9, 2.9], [9, 3.1], [np.nan, 1.0]])
    assert is_unlike(chances, distances, thresholds).tolist() == [False, True, True, True, True]
    assert is_unlike(chances, None, thresholds).tolist() == [False, False, True, True, False]
    assert not is_unlike(chances, distances, Thresholds(None)).any()


def test_equal_images_are_never_flagged_among_themselves():
    thresholds, false_alarms = find_thresholds(np.full((150, 4), 0.25), np.full((150, 4), 7.0))
    assert false_alarms == 0
    assert thresholds.confidence == pytest.approx(0.25, rel=1e-3)
    assert thresholds.distance == pytest.approx(7, rel=1e-3)


def test_no_false_alarm_at_all_leaves_room_for_rounding():
    thresholds, false_alarms = find_thresholds(CHANCES[:100], DISTANCES[:100])
    assert false_alarms == 0
    assert thresholds.confidence < CHANCES[:100].max(axis=1).min() * (1 - 1e-5)
    assert thresholds.distance > DISTANCES[:100].min(axis=1).max() * (1 + 1e-5)


def test_few_images_give_no_thresholds():
    assert find_thresholds(CHANCES[:99], DISTANCES[:99]) is None
