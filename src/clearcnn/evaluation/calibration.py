"""Whether confidence means what it says, and what it costs to answer only when sure."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearcnn.results.train import Calibration, CalibrationBin, CoveragePoint

_NUM_BINS = 15
_DRAWS = 1_000
_COVERAGES = (1.0, 0.99, 0.95, 0.9, 0.8, 0.7, 0.5)
# float32's resolution, as for the loss; a probability of zero has no logarithm.
_SMALLEST = float(np.finfo(np.float32).eps)


def calibrate(labels: ArrayLike, probabilities: ArrayLike, *, seed: int) -> Calibration:
    """Reliability diagram, expected calibration error, and the error that chance alone makes.

    The error is the mean over images of |accuracy − confidence| of their bin, with 15 bins of
    equal width. A perfectly calibrated model has an error above zero on finitely many images;
    the floor draws right and wrong from the confidences themselves, 1,000 times.

    Args:
      labels: (n,) int, the true classes; n > 0.
      probabilities: (n, num_classes) float, rows summing to 1.
      seed: of the draws of the floor.
    Returns:
      A Calibration; its bins leave out those without images.
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
    """Find the temperature that makes held-out probabilities likeliest.

    One image more is supposed, as probable as the others are on average, whose class may be
    any: without it, held-out images that are all right would ask for certainty.

    Args:
      labels: (n,) int, the true classes of images that were not trained on.
      probabilities: (n, num_classes) float, rows summing to 1.
    Returns:
      The temperature, in [0.05, 20]; above 1 makes the model less sure.
    Source: Guo et al. 2017, ICML; one image more as in Platt 1999, "Probabilistic outputs for
      support vector machines", section 2.2.
    """
    from scipy.optimize import minimize_scalar

    truth, logits = np.asarray(labels), _logits(probabilities)
    rows = np.arange(len(truth))

    def loss(log_temperature: float) -> float:
        scaled = _log_softmax(logits / np.exp(log_temperature))
        return -float(scaled[rows, truth].sum() + scaled.mean())

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def apply_temperature(probabilities: ArrayLike, temperature: float) -> NDArray[np.float64]:
    """Give the probabilities at a temperature.

    Args:
      probabilities: (n, num_classes) float, rows summing to 1.
      temperature: > 0.
    Returns:
      (n, num_classes) float64, rows summing to 1; the order of classes stays.
    """
    return np.exp(_log_softmax(_logits(probabilities) / temperature))


def trace_coverage(labels: ArrayLike, probabilities: ArrayLike) -> tuple[CoveragePoint, ...]:
    """Say how accurate the surest answers are, and from which confidence on.

    Args:
      labels: (n,) int, the true classes; n > 0.
      probabilities: (n, num_classes) float, rows summing to 1.
    Returns:
      A point for each share of images answered, from all of them to half.
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


def _log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.special import log_softmax

    scaled: NDArray[np.float64] = log_softmax(logits, axis=1)
    return scaled
