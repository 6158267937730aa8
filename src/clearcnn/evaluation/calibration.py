"""Calibration: reliability diagram, ECE, temperature scaling, and selective prediction."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearcnn.results.scores import Calibration, CalibrationBin, CoveragePoint

_NUM_BINS = 15
_DRAWS = 1_000
_COVERAGES = (1.0, 0.99, 0.95, 0.9, 0.8, 0.7, 0.5)
# Temperatures, and how exactly their logarithm is found.
_LOWEST, _HIGHEST = 0.05, 20.0
_PRECISION = 1e-6
# float32's resolution, as for the loss; the logarithm of 0 is undefined.
_SMALLEST = float(np.finfo(np.float32).eps)


def calibrate(labels: ArrayLike, probabilities: ArrayLike, *, seed: int) -> Calibration:
    """Compute the reliability diagram, the expected calibration error and its noise floor.

    The error is the mean over images of |accuracy − confidence| of their bin, with 15 bins of
    equal width. On a finite sample even a perfectly calibrated model has an error above zero;
    the floor is that error, from 1,000 simulations that draw outcomes from the confidences.

    Args:
      labels: (n,) int, the true classes; n > 0.
      probabilities: (n, num_classes) float, rows summing to 1.
      seed: seed of the simulations.
    Returns:
      A Calibration; empty bins are left out.
    Source: Guo et al. 2017, ICML.
    """
    chances = np.asarray(probabilities, np.float64)
    confidence = chances.max(axis=1)
    right = chances.argmax(axis=1) == np.asarray(labels)
    bins = np.clip(np.ceil(confidence * _NUM_BINS).astype(int) - 1, 0, _NUM_BINS - 1)
    drawn = np.random.default_rng(seed).random((_DRAWS, len(right))) < confidence
    floors = np.array([_error(confidence, row, bins) for row in drawn])
    return Calibration(
        error=_error(confidence, right, bins),
        floor=float(floors.mean()),
        floor_95=float(np.quantile(floors, 0.95)),
        bins=tuple(
            CalibrationBin(
                low=number / _NUM_BINS,
                high=(number + 1) / _NUM_BINS,
                total=int((bins == number).sum()),
                confidence=float(confidence[bins == number].mean()),
                accuracy=float(right[bins == number].mean()),
            )
            for number in np.unique(bins).tolist()
        ),
    )


def fit_temperature(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Fit the temperature that maximises the likelihood of held-out labels.

    One pseudo-image with average probabilities and a uniformly distributed class is added;
    without it, the temperature would go to its bound when every held-out image is correct.

    Args:
      labels: (n,) int, the true classes of held-out images.
      probabilities: (n, num_classes) float, rows summing to 1.
    Returns:
      The temperature, in [0.05, 20]; above 1 lowers the confidence.
    Source: Guo et al. 2017, ICML; the pseudo-image as in Platt 1999, "Probabilistic outputs for
      support vector machines", section 2.2.
    """
    truth, logits = np.asarray(labels), _logits(probabilities)
    of_truth = logits[np.arange(len(truth)), truth].sum() + logits.mean()

    def slope(inverse: float) -> float:
        """The derivative of the loss by 1/temperature, which grows: the loss is convex in it."""
        expected = (_softmax(logits * inverse) * logits).sum(axis=1)
        return float(expected.sum() + expected.mean() - of_truth)

    # Bisection; SciPy's `optimize` would take longer to import than a small network to train.
    low, high = np.log(1 / _HIGHEST), np.log(1 / _LOWEST)
    while high - low > _PRECISION:
        middle = (low + high) / 2
        if slope(np.exp(middle)) < 0:
            low = middle
        else:
            high = middle
    return float(np.exp(-(low + high) / 2))


def trace_coverage(labels: ArrayLike, probabilities: ArrayLike) -> tuple[CoveragePoint, ...]:
    """Compute accuracy against coverage: only the most confident predictions are kept.

    Args:
      labels: (n,) int, the true classes; n > 0.
      probabilities: (n, num_classes) float, rows summing to 1.
    Returns:
      A point for each coverage, from 1.0 down to 0.5.
    Source: El-Yaniv & Wiener 2010, JMLR 11; the score is that of Hendrycks & Gimpel 2017.
    """
    chances = np.asarray(probabilities, np.float64)
    confidence = chances.max(axis=1)
    surest = np.argsort(-confidence, kind="stable")
    right = (chances.argmax(axis=1) == np.asarray(labels))[surest]
    points = []
    for coverage in _COVERAGES:
        answered = max(1, round(coverage * len(right)))
        points.append(
            CoveragePoint(
                coverage=coverage,
                answered=answered,
                correct=int(right[:answered].sum()),
                threshold=float(confidence[surest[answered - 1]]),
            )
        )
    return tuple(points)


def _error(
    confidence: NDArray[np.float64], right: NDArray[np.bool_], bins: NDArray[np.int_]
) -> float:
    gaps = np.bincount(bins, weights=right - confidence, minlength=_NUM_BINS)
    return float(np.abs(gaps).sum() / len(right))


def _logits(probabilities: ArrayLike) -> NDArray[np.float64]:
    return np.log(np.maximum(np.asarray(probabilities, np.float64), _SMALLEST))


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    chances: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return chances
