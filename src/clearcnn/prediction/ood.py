"""From where on an image looks like none of the classes."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FALSE_ALARM_RATE = 0.01
"""The most of the images like those trained on that may be flagged."""

FEWEST_IMAGES = 100
"""With fewer, one image in a hundred is less than one."""


def find_threshold(
    probabilities: ArrayLike, distances: ArrayLike | None = None
) -> tuple[float, int] | None:
    """Find the threshold beyond which an image looks like none of the classes.

    It lies halfway between the last image that is beyond it and the first that is not.

    Args:
      probabilities: (n, num_classes) float, of images that were not trained on, at the
        temperature that answers will have.
      distances: (n, num_centres) float, of the same images to each class; None where the model
        gives none.
    Returns:
      The threshold, and how many of these images are beyond it, the false alarms: at most one
      in a hundred. Without distances it is a confidence, and lower ones are beyond it; with
      them, it is the distance to the nearest class divided by the confidence, and larger ones
      are. None for fewer than 100 images, which cannot say what one in a hundred is.
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
    """Tell which images look like none of the classes.

    Args:
      probabilities: (n, num_classes) float, at the temperature of `find_threshold`.
      distances: (n, num_centres) float, or None, as there.
      threshold: that it found; None flags nothing.
    Returns:
      (n,) bool.
    """
    scores = _measure(probabilities, distances)
    if threshold is None:
        return np.zeros(len(scores), bool)
    # What is too far for float32 is no number, and far.
    return ~(scores <= (-threshold if distances is None else threshold))


def _measure(probabilities: ArrayLike, distances: ArrayLike | None) -> NDArray[np.float64]:
    confidence: NDArray[np.float64] = np.asarray(probabilities, np.float64).max(axis=1)
    if distances is None:
        return -confidence
    nearest: NDArray[np.float64] = np.asarray(distances, np.float64).min(axis=1)
    return np.divide(nearest, confidence)
