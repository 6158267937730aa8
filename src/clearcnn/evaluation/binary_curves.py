"""ROC and precision-recall curves of two classes, with intervals of their areas."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearcnn.evaluation.scores import wilson_interval
from clearcnn.results.scores import BinaryCurves, CurvePoint, Interval

_MOST_POINTS = 200
_QUANTILE = 1.959963984540054  # Of the normal distribution, for 95 %.
_STEPS = 60  # Halvings of [0, 1]: beyond the resolution of a float64.


def trace_binary(
    labels: ArrayLike, probabilities: ArrayLike, class_names: Sequence[str]
) -> BinaryCurves | None:
    """Trace the ROC and the precision-recall curve of the rarer class; the second if both are.

    Args:
      labels: (n,) int, the true classes.
      probabilities: (n, num_classes) float.
      class_names: num_classes names.
    Returns:
      The curves, at most 200 thresholds of each; None unless there are two classes, both with
      images.
    Source: the areas as in scikit-learn 1.9, "Receiver operating characteristic" and "Average
      precision". Interval of the ROC's area: Newcombe 2006, Statistics in Medicine 25, method 5.
      Interval of the average precision: Boyd, Eng & Page 2013, ECML, the logit interval; Wilson's
      where it is 1 and its logit infinite.
    """
    counts = np.bincount(np.asarray(labels), minlength=len(class_names))
    if len(class_names) != 2 or not counts.all():
        return None
    positive = 1 if counts[1] <= counts[0] else 0
    truth = np.asarray(labels) == positive
    scores = np.asarray(probabilities, np.float64)[:, positive]
    positives, negatives = int(counts[positive]), int(counts[1 - positive])
    order = np.argsort(-scores, kind="stable")
    # Images of the same probability pass a threshold together.
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    true_positives = np.cumsum(truth[order])[last]
    passed = last + 1
    recall = true_positives / positives
    false_rate = (passed - true_positives) / negatives
    precision = true_positives / passed
    area = float(np.trapezoid(np.append(0, recall), np.append(0, false_rate)))
    average = float(np.sum(np.diff(recall, prepend=0) * precision))
    shown = np.unique(np.linspace(0, len(last) - 1, min(len(last), _MOST_POINTS)).round())
    return BinaryCurves(
        positive=class_names[positive],
        positives=positives,
        negatives=negatives,
        area=area,
        area_interval=_bound_area(area, positives, negatives),
        average_precision=average,
        average_precision_interval=_bound_average(average, positives),
        points=tuple(
            CurvePoint(
                threshold=float(scores[order][last[k]]),
                recall=float(recall[k]),
                false_positive_rate=float(false_rate[k]),
                precision=float(precision[k]),
            )
            for k in shown.astype(int)
        ),
    )


def _bound_area(area: float, positives: int, negatives: int) -> Interval:
    """The areas that lie 1.96 of their own standard errors from the area found."""
    extra = (positives + negatives) / 2 - 1

    def distance(other: float) -> float:
        spread = 1 + extra * (1 - other) / (2 - other) + extra * other / (1 + other)
        return _QUANTILE * math.sqrt(other * (1 - other) * spread / (positives * negatives))

    low = _find_root(lambda other: other + distance(other) - area, 0.0, area)
    high = _find_root(lambda other: other - distance(other) - area, area, 1.0)
    return Interval(low, high, 0.95, "newcombe")


def _find_root(value: Callable[[float], float], low: float, high: float) -> float:
    """Find where a function turns positive between two numbers, by bisection."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if value(middle) < 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _bound_average(average: float, positives: int) -> Interval:
    if average >= 1:
        return wilson_interval(positives, positives)
    centre = math.log(average / (1 - average))
    half_width = _QUANTILE / math.sqrt(positives * average * (1 - average))
    ends: NDArray[np.float64] = 1 / (1 + np.exp(-np.array([-half_width, half_width]) - centre))
    return Interval(float(ends[0]), float(ends[1]), 0.95, "logit")
