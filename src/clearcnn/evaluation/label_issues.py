"""Label issues: labels that out-of-fold predictions contradict."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def rank_suspects(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.intp]:
    """Rank images by the normalised margin of their label, lowest first.

    The margin is the probability of the given label minus that of the most probable other class.
    Each class's mean self-confidence is subtracted first, so that classes are comparable.

    Args:
      labels: (n,) int, the given labels.
      probabilities: (n, num_classes) float, out of fold.
    Returns:
      (n,) rows, the most suspect first.
    Source: Northcutt et al. 2021, JAIR 70 (confident learning: normalised margins).
    """
    margins = measure_margins(labels, probabilities)
    return np.argsort(margins, kind="stable")


def find_suspects(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.intp]:
    """Find the images that belong to another class by that class's own threshold.

    An image counts if the probability of another class reaches the mean self-confidence of that
    class, and is the largest that does.

    Args:
      labels: (n,) int, the given labels.
      probabilities: (n, num_classes) float, out of fold.
    Returns:
      Rows, the most suspect first.
    Source: Northcutt et al. 2021, JAIR 70 (the confident joint).
    """
    truth, chances = np.asarray(labels), np.asarray(probabilities, np.float64)
    reached = chances >= _mean_confidence(truth, chances) - 1e-9
    likeliest = np.where(reached, chances, -1.0).argmax(axis=1)
    suspect = reached.any(axis=1) & (likeliest != truth) & (chances.argmax(axis=1) != truth)
    ranked = rank_suspects(truth, chances)
    found: NDArray[np.intp] = ranked[suspect[ranked]]
    return found


def measure_margins(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.float64]:
    """Return the normalised margin of each label, (n,) float64; low is suspect."""
    truth, chances = np.asarray(labels), np.asarray(probabilities, np.float64)
    rows = np.arange(len(truth))
    adjusted = chances - _mean_confidence(truth, chances)
    own = adjusted[rows, truth]
    adjusted[rows, truth] = -np.inf
    margins: NDArray[np.float64] = own - adjusted.max(axis=1)
    return margins


def _mean_confidence(
    labels: NDArray[np.int_], probabilities: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return each class's mean self-confidence, (num_classes,) float64."""
    own = probabilities[np.arange(len(labels)), labels]
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    sums = np.bincount(labels, weights=own, minlength=probabilities.shape[1])
    return np.divide(sums, counts, out=np.ones_like(sums), where=counts > 0)
