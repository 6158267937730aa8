"""Nearest neighbours in the model's feature space."""

import numpy as np
from numpy.typing import NDArray


def nearest(
    features: NDArray[np.float32], others: NDArray[np.float32], most: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Find the nearest neighbours.

    Args:
      features: (num_features,), of one image.
      others: (n, num_features).
      most: the largest number to return.
    Returns:
      (rows, distances): rows of `others`, nearest first, and their Euclidean distances; ties in
      row order.
    """
    squares = np.zeros(len(others))
    # In chunks, to avoid a second copy of a large table.
    for start in range(0, len(others), 4096):
        gaps = others[start : start + 4096].astype(np.float64) - features
        squares[start : start + 4096] = np.einsum("ij,ij->i", gaps, gaps)
    rows = np.argsort(squares, kind="stable")[:most]
    return rows, np.sqrt(squares[rows])
