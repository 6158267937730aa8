"""Out-of-distribution detection: the threshold beyond which an image looks like no class."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FALSE_ALARM_RATE = 0.01
"""The largest accepted share of flagged images among in-distribution ones."""

FEWEST_IMAGES = 100
"""The fewest images for a threshold: one in a hundred must be at least one image."""


def find_threshold(
    probabilities: ArrayLike, distances: ArrayLike | None = None
) -> tuple[float, int] | None:
    """Find the threshold beyond which an image looks like no class.

    It is halfway between the last image beyond it and the first image that is not.

    Args:
      probabilities: (n, num_classes) float, of images that were not trained on, at the
        temperature of predictions.
      distances: (n, num_centres) float, of the same images to each class; None if the model
        computes none.
    Returns:
      The threshold, and the number of false alarms, the images beyond it: at most one in a
      hundred. Without distances it is a confidence, and lower ones are beyond it; with distances
      it is the distance to the nearest class divided by the confidence, and larger ones are
      beyond it. None for fewer than 100 images.
    Source: Hendrycks & Gimpel 2017, ICLR, "A baseline for detecting misclassified and
      out-of-distribution examples in neural networks", for the confidence; Lee et al. 2018,
      NeurIPS, "A simple unified framework for detecting out-of-distribution samples and
      adversarial attacks", for the distance; their quotient is ours.
    """
    scores = np.sort(_measure(probabilities, distances))[::-1]
    if len(scores) < FEWEST_IMAGES:
        return None
    place = int(FALSE_ALARM_RATE * len(scores))
    score = float(scores[place - 1 : place + 1].mean())
    return (-score if distances is None else score), int((scores > score).sum())


def is_unlike(
    probabilities: ArrayLike, distances: ArrayLike | None, threshold: float | None
) -> NDArray[np.bool_]:
    """Find the images that look like no class.

    Args:
      probabilities: (n, num_classes) float, at the temperature of `find_threshold`.
      distances: (n, num_centres) float, or None, as in `find_threshold`.
      threshold: from `find_threshold`; None flags no image.
    Returns:
      (n,) bool.
    """
    scores = _measure(probabilities, distances)
    if threshold is None:
        return np.zeros(len(scores), bool)
    # A distance too large for float32 is NaN or infinite, and counts as far.
    return ~(scores <= (-threshold if distances is None else threshold))


def _measure(probabilities: ArrayLike, distances: ArrayLike | None) -> NDArray[np.float64]:
    confidence: NDArray[np.float64] = np.asarray(probabilities, np.float64).max(axis=1)
    if distances is None:
        return -confidence
    nearest: NDArray[np.float64] = np.asarray(distances, np.float64).min(axis=1)
    return np.divide(nearest, confidence)
