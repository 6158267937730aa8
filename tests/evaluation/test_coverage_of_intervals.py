"""Simulations with known truth: do 95 % intervals hold it, are equal models told apart?

Each draws 1,000 data sets and trains a classifier on their folds: the nearest neighbour, whose
answers change much from one training set to the next, or the nearest class mean, whose do not. The
truth is the accuracy on many new images of the same kind.
"""

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from clearcnn.evaluation import (
    compare_on_folds,
    fold_interval,
    group_interval,
    leave_groups_out,
    make_random_folds,
    wilson_interval,
)

pytestmark = pytest.mark.simulate

REPEATS = 1_000


def draw(rng, num, features, distance, informative=5):
    """Two classes of equal shape, some distance apart in the first features."""
    y = rng.integers(0, 2, num)
    x = rng.normal(size=(num, features))
    x[:, :informative] += distance * (y[:, None] - 0.5)
    return x, y


def draw_groups(rng, num_groups, size, features, distance, sway):
    """The same, each group moved as a whole."""
    x, y = draw(rng, num_groups * size, features, distance)
    groups = np.repeat(np.arange(num_groups), size)
    return x + sway * rng.normal(size=(num_groups, features))[groups], y, groups


def test_intervals_over_random_folds_cover_the_truth():
    rng = np.random.default_rng(0)
    features, distance = 10, 1.2
    new = draw(rng, 5_000, features, distance)
    intervals, naive, truths = [], [], []
    for repeat in range(REPEATS):
        x, y = draw(rng, 120, features, distance)
        folds = make_random_folds(y, num_folds=10, repeat=0, seed=repeat)
        right = [nearest(x[f.train], y[f.train], x[f.test]) == y[f.test] for f in folds]
        intervals.append(fold_interval([r.mean() for r in right], num_train=108, num_test=12))
        naive.append(wilson_interval(int(np.concatenate(right).sum()), 120))
        if repeat < 100:
            truths.append(np.mean(nearest(x, y, new[0]) == new[1]))
    truth = np.mean(truths)
    assert 0.93 <= covered(intervals, truth) <= 0.97
    assert covered(naive, truth) < 0.92


def test_intervals_over_groups_left_out_cover_the_truth():
    rng = np.random.default_rng(1)
    kind = {"features": 10, "distance": 1.5, "sway": 0.5}
    x_new, y_new, _ = draw_groups(rng, 2_000, 10, **kind)
    intervals, naive, truths = [], [], []
    for repeat in range(REPEATS):
        x, y, groups = draw_groups(rng, 14, 30, **kind)
        folds = leave_groups_out(y, groups, num_folds=10, seed=0)
        right = [nearest_mean(x[f.train], y[f.train], x[f.test]) == y[f.test] for f in folds]
        correct, totals = [r.sum() for r in right], [len(r) for r in right]
        intervals.append(group_interval(correct, totals))
        naive.append(wilson_interval(int(sum(correct)), int(sum(totals))))
        if repeat < 100:
            truths.append(np.mean(nearest_mean(x, y, x_new) == y_new))
    truth = np.mean(truths)
    assert 0.93 <= covered(intervals, truth) <= 0.97
    assert covered(naive, truth) < covered(intervals, truth)


def test_intervals_over_groups_cover_accuracies_like_those_of_the_digits():
    """14 groups whose accuracies scatter as 96.2 ± 3.3 %."""
    rng = np.random.default_rng(2)
    mean, deviation = 0.962, 0.033
    strength = mean * (1 - mean) / deviation**2 - 1
    intervals = []
    for _ in range(REPEATS):
        totals = rng.integers(112, 145, 14)
        chances = rng.beta(mean * strength, (1 - mean) * strength, 14)
        intervals.append(group_interval(rng.binomial(totals, chances), totals))
    assert 0.93 <= covered(intervals, mean) <= 0.97


def test_two_equal_models_are_seldom_told_apart():
    """One sees the first half of the features, one the second, and both tell equally much."""
    rng = np.random.default_rng(3)
    told_apart = 0
    for repeat in range(REPEATS):
        x, y = draw(rng, 120, 20, 0)
        for start in (0, 10):
            x[:, start : start + 5] += 1.2 * (y[:, None] - 0.5)
        folds = make_random_folds(y, num_folds=10, repeat=0, seed=repeat)
        ours, theirs = (
            [np.mean(nearest(part[f.train], y[f.train], part[f.test]) == y[f.test]) for f in folds]
            for part in (x[:, :10], x[:, 10:])
        )
        verdict = compare_on_folds(ours, theirs, num_train=108, num_test=12).verdict
        told_apart += verdict != "cannot be told apart on this data"
    assert told_apart <= 0.06 * REPEATS


def nearest(x, y, new):
    return y[cdist(new, x).argmin(axis=1)]


def nearest_mean(x, y, new):
    return cdist(new, [x[y == 0].mean(axis=0), x[y == 1].mean(axis=0)]).argmin(axis=1)


def covered(intervals, truth):
    return np.mean([interval.low <= truth <= interval.high for interval in intervals])
