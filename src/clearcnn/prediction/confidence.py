"""How sure an answer is, and from where on an image looks like none of the classes."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

FALSE_ALARM_RATE = 0.01
"""The most of the images like those trained on that may be flagged."""

FEWEST_IMAGES = 100
"""With fewer, one image in a hundred is less than one."""

# float32's resolution, as where the temperature is fitted: zero has no logarithm.
_SMALLEST = float(np.finfo(np.float32).eps)


def apply_temperature(probabilities: ArrayLike, temperature: float) -> NDArray[np.float32]:
    """Give the probabilities at a temperature.

    Args:
      probabilities: (n, num_classes) float, rows summing to 1.
      temperature: > 0; above 1 makes the answers less sure, 1 changes nothing.
    Returns:
      (n, num_classes) float32, rows summing to 1; the order of classes stays.
    Source: Guo et al. 2017, ICML.
    """
    chances = np.asarray(probabilities, np.float64)
    if temperature != 1:
        logits = np.log(np.maximum(chances, _SMALLEST)) / temperature
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
    return chances.astype(np.float32)


def find_threshold(probabilities: ArrayLike) -> tuple[float, int] | None:
    """Find the confidence below which an image looks like none of the classes.

    The score is the largest probability. The threshold lies halfway between the last image
    that falls below it and the first that does not.

    Args:
      probabilities: (n, num_classes) float, of images that were not trained on, at the
        temperature that answers will have.
    Returns:
      The threshold, and how many of these images are below it, the false alarms: at most one
      in a hundred. None for fewer than 100 images, which cannot say what one in a hundred is.
    Source: Hendrycks & Gimpel 2017, ICLR, "A baseline for detecting misclassified and
      out-of-distribution examples in neural networks".
    """
    confidence = np.sort(np.asarray(probabilities, np.float64).max(axis=1))
    if len(confidence) < FEWEST_IMAGES:
        return None
    place = int(FALSE_ALARM_RATE * len(confidence))
    threshold = float(confidence[place - 1 : place + 1].mean())
    return threshold, int((confidence < threshold).sum())


def is_unlike(probabilities: ArrayLike, threshold: float | None) -> NDArray[np.bool_]:
    """Tell which images look like none of the classes.

    Args:
      probabilities: (n, num_classes) float, at the temperature of `find_threshold`.
      threshold: that it found; None flags nothing.
    Returns:
      (n,) bool.
    """
    confidence = np.asarray(probabilities, np.float64).max(axis=1)
    return np.asarray(confidence < (-1.0 if threshold is None else threshold))
