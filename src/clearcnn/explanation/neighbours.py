"""Images that a model sees much alike."""

import numpy as np
from numpy.typing import NDArray


def nearest(
    features: NDArray[np.float32], others: NDArray[np.float32], most: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the nearest of many.

    Args:
      features: (num_features,), of one image.
      others: (n, num_features).
      most: how many to give at most.
    Returns:
      (rows, distances): rows of `others`, the nearest first, and their Euclidean distances;
      among equals the earlier row comes first.
    """
    squares = np.zeros(len(others))
    # In pieces, so that no second copy of a large table is made.
    for start in range(0, len(others), 4096):
        gaps = others[start : start + 4096].astype(np.float64) - features
        squares[start : start + 4096] = np.einsum("ij,ij->i", gaps, gaps)
    rows = np.argsort(squares, kind="stable")[:most]
    return rows, np.sqrt(squares[rows])
