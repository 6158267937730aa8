"""Labels that a model, not trained on them, does not believe."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def rank_suspects(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.intp]:
    """Rank images by how little a model believes in their labels.

    The score is the probability of the given label less that of the likeliest other one: -1 where
    the model is sure of another label. To compare classes on which it is not equally sure, each
    class's mean confidence in its own images is taken off first.

    Args:
      labels: (n,) int, the given labels.
      probabilities: (n, num_classes) float, out of fold: of models not trained on the image.
    Returns:
      (n,) rows, the most suspect first.
    Source: Northcutt et al. 2021, JAIR 70 (confident learning: normalised margins).
    """
    margins = measure_margins(labels, probabilities)
    return np.argsort(margins, kind="stable")


def find_suspects(labels: ArrayLike, probabilities: ArrayLike) -> NDArray[np.intp]:
    """Give the images that are more likely of another class by that class's own standard.

    An image counts where the probability of another class reaches the mean that images of that
    class themselves get, and is the largest of those that do.

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
    """Give the normalised margin of each image's label, (n,) float64; low is suspect."""
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
    """Give, for each class, the mean probability that its own images get for it."""
    own = probabilities[np.arange(len(labels)), labels]
    counts = np.bincount(labels, minlength=probabilities.shape[1])
    sums = np.bincount(labels, weights=own, minlength=probabilities.shape[1])
    return np.divide(sums, counts, out=np.ones_like(sums), where=counts > 0)
