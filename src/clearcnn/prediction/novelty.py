"""From where on an image looks like none of the classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FALSE_ALARM_RATE = 0.01
"""The most of the images like those trained on that may be flagged."""

FEWEST_IMAGES = 100
"""With fewer, one image in a hundred is less than one."""

_ROUNDING = 1e-4


@dataclass(frozen=True)
class Thresholds:
    """What an image that looks like none of the classes is beyond.

    Attributes:
      confidence: the probability that its most probable class is below, in [0, 1]; None, like
        infinity, flags nothing.
      distance: what its distance to the nearest class is above, > 0; None flags nothing.
    """

    confidence: float | None
    distance: float | None = None


def find_thresholds(
    probabilities: ArrayLike, distances: ArrayLike | None = None
) -> tuple[Thresholds, int] | None:
    """Find the confidence and the distance beyond which an image looks like none of the classes.

    Each lies halfway between the last image that is beyond it and the first that is not, and as
    many images are beyond the one as beyond the other: the most with which no more than one
    image in a hundred is beyond either. If that is none, each lies just beyond the last image.

    Args:
      probabilities: (n, num_classes) float, of images that were not trained on, at the
        temperature that answers will have.
      distances: (n, num_classes) float, of the same images to each class; None finds the
        confidence alone.
    Returns:
      The thresholds, and how many of these images are beyond one, the false alarms: at most one
      in a hundred. None for fewer than 100 images, which cannot say what one in a hundred is.
    Source: Hendrycks & Gimpel 2017, ICLR, "A baseline for detecting misclassified and
      out-of-distribution examples in neural networks"; Lee et al. 2018, NeurIPS, "A simple
      unified framework for detecting out-of-distribution samples and adversarial attacks".
    """
    doubt = -np.asarray(probabilities, np.float64).max(axis=1)
    if len(doubt) < FEWEST_IMAGES:
        return None
    nearest = None if distances is None else np.asarray(distances, np.float64).min(axis=1)
    most = int(FALSE_ALARM_RATE * len(doubt))
    for place in range(most, -1, -1):
        thresholds = Thresholds(
            -_halfway(doubt, place), None if nearest is None else _halfway(nearest, place)
        )
        false_alarms = int(is_unlike(probabilities, distances, thresholds).sum())
        if false_alarms <= most:
            break
    return thresholds, false_alarms


def is_unlike(
    probabilities: ArrayLike, distances: ArrayLike | None, thresholds: Thresholds
) -> NDArray[np.bool_]:
    """Tell which images look like none of the classes.

    Args:
      probabilities: (n, num_classes) float, at the temperature of `find_thresholds`.
      distances: (n, num_classes) float; None where the model gives none.
      thresholds: that it found.
    Returns:
      (n,) bool.
    """
    confidence = np.asarray(probabilities, np.float64).max(axis=1)
    unlike = np.zeros(len(confidence), bool)
    if thresholds.confidence is not None:
        unlike |= confidence < thresholds.confidence
    if thresholds.distance is not None and distances is not None:
        # What is too far for float32 is no number, and far.
        unlike |= ~(np.asarray(distances, np.float64).min(axis=1) <= thresholds.distance)
    return unlike


def _halfway(scores: NDArray[np.float64], place: int) -> float:
    """Give what `place` scores are above: the middle between the last of them and the next."""
    ranked = np.sort(scores)[::-1]
    if place:
        return float(ranked[place - 1 : place + 1].mean())
    # The same image among others may be rounded otherwise.
    return float(ranked[0] + _ROUNDING * abs(ranked[0]))
