"""Label issues: labels that out-of-fold predictions contradict."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearcnn.evaluation.calibration import fit_temperature
from clearcnn.temperature import apply_temperature

_LEAST_PROBABILITY = 0.5
_LEAST_CONFIDENCE = 0.8
# Images that are counted beside those given, and how many of them have a wrong label: 3.3 %, as
# in ten well-known test sets. Without them, useless models of few images would find label errors.
_PRIOR_IMAGES, _PRIOR_WRONG = 30, 1
# With more wrong labels than right ones, a class would be called by another's name.
_LARGEST_FRACTION = 0.5
_TEMPERATURES = np.geomspace(0.1, 20, 30)
_BISECTIONS = 30
_SMALLEST = 1e-12


class _Fit(NamedTuple):
    likelihood: float
    temperature: float
    wrong: NDArray[np.float64]


def find_suspects(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.intp]:
    """Find the images whose label is probably wrong.

    There are two kinds. Errors that confuse any classes: the label is more likely wrong than right
    by `estimate_label_errors`. And errors that repeat, such as many ones called seven, which a
    model learns as improbable labels: another class has the largest probability, reaches the mean
    self-confidence of that class, and once calibrated is at least 80 %. Without the last condition
    a weak model would doubt half of the labels.

    Args:
      labels, probabilities: as for `estimate_label_errors`.
    Returns:
      Rows, the least probable label first.
    Source: the self-confidence of each class from Northcutt et al. 2021, JAIR 70 (the confident
      joint).
    """
    given, chances = np.asarray(labels), np.asarray(probabilities, np.float64)
    wrong = estimate_label_errors(given, chances)
    likeliest = chances.argmax(axis=1)
    calibrated = apply_temperature(chances, fit_temperature(given, chances)).max(axis=1)
    repeated = (likeliest != given) & (calibrated >= _LEAST_CONFIDENCE)
    repeated &= chances.max(axis=1) >= _mean_confidence(given, chances)[likeliest] - 1e-9
    ranked = np.argsort(-wrong, kind="stable")
    is_suspect = (wrong >= _LEAST_PROBABILITY) | repeated
    found: NDArray[np.intp] = ranked[is_suspect[ranked]]
    return found


def estimate_label_errors(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
    """Estimate for each image the probability that its label is wrong.

    The true class is taken to follow the model's probabilities, scaled by a temperature T; a
    fraction e of the labels is wrong, and then each other class is equally likely. So an image
    whose label has the scaled probability q gets it with the probability

        (1 − e) q + e (1 − q) / (K − 1),

    of which the second term is that of a wrong label. T and e are those that make the given labels
    most likely. They explain the errors of a weak model by T, not by e: its disagreement counts
    only where it is surer than its errors elsewhere allow.

    Args:
      labels: (n,) int, the given labels; n > 0.
      probabilities: (n, K) float, out of fold, rows summing to 1; K > 1.
    Returns:
      (n,) float64, in [0, 1].
    Source: temperature scaling as in Guo et al. 2017, ICML; symmetric label noise on top of a
      model's probabilities as in Patrini et al. 2017, CVPR (forward correction); the fraction of
      wrong labels in test sets from Northcutt et al. 2021, NeurIPS.
    """
    given, chances = np.asarray(labels), np.asarray(probabilities, np.float64)
    fits = [_fit_fraction(given, chances, float(each)) for each in _TEMPERATURES]
    middle = max(fits, key=lambda fit: fit.likelihood).temperature
    step = _TEMPERATURES[1] / _TEMPERATURES[0]
    finer = np.geomspace(middle / step, middle * step, len(_TEMPERATURES))
    fits = [_fit_fraction(given, chances, float(each)) for each in finer]
    return max(fits, key=lambda fit: fit.likelihood).wrong


def _fit_fraction(
    labels: NDArray[np.int_], chances: NDArray[np.float64], temperature: float
) -> _Fit:
    """Fit the fraction of wrong labels at a temperature."""
    right = apply_temperature(chances, temperature)[np.arange(len(labels)), labels]
    right = np.maximum(right.astype(np.float64), _SMALLEST)
    other = (1 - right) / (chances.shape[1] - 1)
    gain = other - right
    # The prior images with right labels, and those with wrong ones.
    num_right, num_wrong = _PRIOR_IMAGES - _PRIOR_WRONG, _PRIOR_WRONG
    # Bisection, as the logarithm of the likelihood is concave in the fraction.
    low, high = 0.0, _LARGEST_FRACTION
    for _ in range(_BISECTIONS):
        fraction = (low + high) / 2
        slope = (gain / (right + fraction * gain)).sum()
        if slope + num_wrong / fraction - num_right / (1 - fraction) > 0:
            low = fraction
        else:
            high = fraction
    each = right + fraction * gain
    prior = num_right * np.log(1 - fraction) + num_wrong * np.log(fraction)
    return _Fit(float(np.log(each).sum() + prior), temperature, fraction * other / each)


def _mean_confidence(
    labels: NDArray[np.int_], probabilities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return each class's mean self-confidence, (K,); 1 for a class without images."""
    own = probabilities[np.arange(len(labels)), labels]
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    sums = np.bincount(labels, weights=own, minlength=probabilities.shape[1])
    return np.divide(sums, counts, out=np.ones_like(sums), where=counts > 0)
