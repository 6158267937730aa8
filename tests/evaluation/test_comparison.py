"""Against SciPy's plain tests, brute force, and the published figures of the digits."""

import itertools
from math import comb

import numpy as np
import pytest
from scipy.stats import ttest_rel

from clearcnn.errors import SpecError
from clearcnn.evaluation import compare_answers, compare_on_folds, group_interval, wilson_interval
from clearcnn.results import Difference, Interval

RANDOM = np.random.default_rng(0)


def test_the_group_interval_is_that_of_all_draws_of_groups():
    """Four groups can be drawn in 4⁴ ways; the percentiles of all of them are the exact answer."""
    right = RANDOM.random(100) < np.repeat([0.6, 0.7, 0.9, 1.0], 25)
    groups = np.repeat(list("dbca"), 25)
    counts = right.reshape(4, 25).sum(axis=1)
    every = [counts[list(draw)].sum() / 100 for draw in itertools.product(range(4), repeat=4)]
    interval = group_interval(right, groups, seed=1)
    low, high = np.quantile(every, [0.025, 0.975])
    assert interval.low == pytest.approx(low, abs=0.015)
    assert interval.high == pytest.approx(high, abs=0.015)
    assert interval.method == "group bootstrap"


def test_groups_of_unlike_size_count_by_their_images():
    right = np.array([False] + [True] * 9 + [True] * 90)
    groups = np.array([0] * 10 + [1] * 90)
    interval = group_interval(right, groups, seed=0)
    assert (interval.low, interval.high) == (0.9, 1.0)


def test_blocks_of_writing_make_the_interval_wider_than_single_images_do():
    """As on the digits, where a block left out is 89 to 100 % right."""
    shares = np.linspace(0.89, 1.0, 14)
    right = np.concatenate([np.arange(128) < round(128 * share) for share in shares])
    interval = group_interval(right, np.repeat(np.arange(14), 128), seed=0)
    naive = wilson_interval(int(right.sum()), len(right))
    assert interval.high - interval.low > 1.5 * (naive.high - naive.low)


def test_the_draws_follow_the_seed():
    right, groups = RANDOM.random(60) < 0.8, np.repeat(np.arange(12), 5)
    assert group_interval(right, groups, seed=3) == group_interval(right, groups, seed=3)


def test_one_group_is_refused():
    with pytest.raises(SpecError, match="1 group"):
        group_interval([True, False], ["a", "a"], seed=0)


def test_without_a_test_part_the_correction_vanishes_and_the_paired_t_test_remains():
    ours, theirs = RANDOM.normal(0.97, 0.01, 10), RANDOM.normal(0.96, 0.01, 10)
    plain = ttest_rel(ours, theirs).confidence_interval(0.9)
    found = compare_on_folds(ours, theirs, num_train=1, num_test=0, confidence=0.9).interval
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high))


def test_the_correction_widens_by_its_factor():
    ours, theirs = RANDOM.normal(0.97, 0.01, 10), RANDOM.normal(0.96, 0.01, 10)
    plain = compare_on_folds(ours, theirs, num_train=1, num_test=0)
    corrected = compare_on_folds(ours, theirs, num_train=900, num_test=100)
    widths = [d.interval.high - d.interval.low for d in (corrected, plain)]
    assert widths[0] / widths[1] == pytest.approx(np.sqrt(1 + 10 / 9))
    assert corrected.mean == plain.mean == pytest.approx(np.mean(ours - theirs))


def test_folds_that_do_not_match_are_refused():
    with pytest.raises(SpecError, match="2 or more"):
        compare_on_folds([0.9], [0.8], num_train=9, num_test=1)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.001, 0.02, "better"),
        (-0.02, -0.001, "worse"),
        (-0.001, 0.02, "cannot be told apart on this data"),
        (0.0, 0.0, "cannot be told apart on this data"),
    ],
)
def test_the_verdict_is_what_the_interval_allows(low, high, words):
    assert Difference((low + high) / 2, Interval(low, high, 0.95, "")).verdict == words


def test_mcnemar_counts_the_images_that_only_one_got_right():
    ours = np.array([True] * 90 + [True] * 8 + [False] * 2)
    theirs = np.array([True] * 90 + [False] * 8 + [True] * 2)
    by_hand = 2 * sum(comb(10, k) for k in range(3)) / 2**10
    assert compare_answers(ours, theirs) == pytest.approx(by_hand)
    assert compare_answers(ours, ours) == 1.0
