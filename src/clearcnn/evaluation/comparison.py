"""Intervals that respect groups, and two models on the same images."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from clearcnn.errors import SpecError
from clearcnn.results import Difference, Interval

_RESAMPLES = 9_999


def group_interval(
    right: ArrayLike, groups: ArrayLike, *, seed: int, confidence: float = 0.95
) -> Interval:
    """Bootstrap interval of an accuracy whose images come in groups.

    Whole groups are drawn again, not images: images of one writer are right or wrong together.

    Args:
      right: (n,) bool, whether each image was answered rightly.
      groups: (n,) of any kind, the group of each image; two groups or more.
      seed: of the draws.
      confidence: fraction in (0, 1).
    Returns:
      An Interval with low and high as fractions in [0, 1].
    Raises:
      SpecError: fewer than two groups.
    Source: scipy.stats.bootstrap, percentiles of 9,999 draws.
    """
    from scipy.stats import bootstrap

    names, where = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < 2:
        raise SpecError(
            f"{len(names)} group leaves nothing to draw from; two or more were expected.",
            remedy="Use the interval of single images (Wilson), and say that it is of one group.",
        )
    totals = np.bincount(where)
    counts = np.bincount(where, weights=np.asarray(right, np.float64))

    def accuracy(counts: Any, totals: Any, axis: int = -1) -> Any:
        return np.sum(counts, axis=axis) / np.sum(totals, axis=axis)

    found = bootstrap(
        (counts, totals),
        accuracy,
        paired=True,
        n_resamples=_RESAMPLES,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Interval(float(found.low), float(found.high), confidence, "group bootstrap")


def compare_on_folds(
    ours: ArrayLike,
    theirs: ArrayLike,
    *,
    num_train: float,
    num_test: float,
    confidence: float = 0.95,
) -> Difference:
    """Difference in accuracy of two models on the same folds: the corrected resampled t-test.

    Training sets of several folds share images, so the variance over folds says too little; it is
    taken (1/k + num_test/num_train) times in place of 1/k.

    Args:
      ours, theirs: (k,) accuracies, fold by fold, k >= 2.
      num_train, num_test: images in the parts of a fold, on average.
      confidence: fraction in (0, 1).
    Returns:
      A Difference, ours less theirs, in fractions.
    Raises:
      SpecError: fewer than two folds, or not the same number of both.
    Source: Nadeau & Bengio 2003, Machine Learning 52.
    """
    from scipy.stats import t

    differences = np.asarray(ours, np.float64) - np.asarray(theirs, np.float64)
    folds = differences.size
    if differences.ndim != 1 or folds < 2:
        raise SpecError(
            f"Two models can't be compared on folds of shape {differences.shape}; (k,) with 2 or "
            "more was expected.",
            remedy="Score both on the same two folds or more.",
        )
    mean = float(differences.mean())
    error = float(np.sqrt((1 / folds + num_test / num_train) * differences.var(ddof=1)))
    width = float(t.ppf((1 + confidence) / 2, folds - 1)) * error
    interval = Interval(mean - width, mean + width, confidence, "corrected resampled t-test")
    return Difference(mean, interval)


def compare_answers(ours: ArrayLike, theirs: ArrayLike) -> float:
    """Exact McNemar test of two models on the same images.

    Args:
      ours, theirs: (n,) bool, whether each image was answered rightly.
    Returns:
      The two-sided p-value: how often models that are equally good would differ so much on the
      images that only one of them got right. 1.0 if there is no such image.
    Source: McNemar 1947, Psychometrika 12.
    """
    from scipy.stats import binomtest

    first, second = np.asarray(ours, bool), np.asarray(theirs, bool)
    only_ours, only_theirs = int((first & ~second).sum()), int((second & ~first).sum())
    if only_ours + only_theirs == 0:
        return 1.0
    return float(binomtest(only_ours, only_ours + only_theirs).pvalue)
