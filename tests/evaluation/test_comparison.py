"""Against SciPy's plain tests, brute force, and the published figures of the digits."""

from math import comb

import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp, ttest_rel

from clearcnn.errors import SpecError
from clearcnn.evaluation import (
    compare_answers,
    compare_on_folds,
    fold_interval,
    group_interval,
    wilson_interval,
)
from clearcnn.results.scores import Difference, Interval

RANDOM = np.random.default_rng(0)


def test_groups_that_vary_as_single_images_do_give_wilsons_interval_with_students_t():
    """Were every group alike, only the quantile would differ; SciPy's own Wilson says so."""
    correct, totals = np.full(200, 9), np.full(200, 10)
    interval = group_interval(correct, totals)
    plain = wilson_interval(1800, 2000)
    assert interval.low == pytest.approx(plain.low, abs=2e-4)
    assert interval.high == pytest.approx(plain.high, abs=2e-4)
    assert interval.method == "wilson, whole groups"


def test_groups_that_are_right_or_wrong_as_one_count_as_one_image_each():
    """Then the effective number of images is that of groups, less one for the variance."""
    correct = np.array([20] * 30 + [0] * 10)
    interval = group_interval(correct, np.full(40, 20))
    scored = binomtest(30, 40).proportion_ci(method="wilson")
    assert interval.low == pytest.approx(scored.low, abs=0.012)
    assert interval.high == pytest.approx(scored.high, abs=0.012)


def test_blocks_of_writing_make_the_interval_wider_than_single_images_do():
    """The digits' CNN leaves 14 blocks at 89 to 100 %; EVALUATION's bootstrap: 94.4-97.7."""
    totals = np.full(14, 128)
    correct = np.round(totals * np.linspace(0.89, 1.0, 14))
    interval = group_interval(correct, totals)
    naive = wilson_interval(int(correct.sum()), int(totals.sum()))
    assert interval.high - interval.low > 1.5 * (naive.high - naive.low)


def test_all_right_still_leaves_room_below():
    interval = group_interval([10, 20, 30], [10, 20, 30])
    assert interval.low < 0.95
    assert interval.high == 1.0


def test_one_group_is_refused():
    with pytest.raises(SpecError, match="found 1"):
        group_interval([1], [2])


def test_fold_intervals_are_wider_than_the_plain_t_interval_by_the_known_factor():
    accuracies = RANDOM.normal(0.9, 0.01, 10)
    plain = ttest_1samp(accuracies, 0).confidence_interval()
    found = fold_interval(accuracies, num_train=90, num_test=10)
    wider = (found.high - found.low) / (plain.high - plain.low)
    assert wider == pytest.approx(np.sqrt((1 / 10 + 1 / 9) / (1 / 10)))
    assert (found.high + found.low) / 2 == pytest.approx(accuracies.mean())


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
    with pytest.raises(SpecError, match="k >= 2"):
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
