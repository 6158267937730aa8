"""Sanity check: whether a saliency map depends on the model, or only on the image."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clearcnn.results.explain import SanityCheck


def correlate(
    trained: NDArray[np.float64],
    untrained: Sequence[NDArray[np.float64]],
    seeds: Sequence[int],
) -> SanityCheck:
    """Compare a saliency map with those of untrained models.

    Args:
      trained: (height, width), the map of the trained model.
      untrained: maps of the same image and class with random weights.
      seeds: seeds of those weights.
    Returns:
      Spearman's rank correlation with each of them; NaN where either map is constant.
    Source:
      Adebayo et al. 2018, Sanity checks for saliency maps, NeurIPS, model parameter
      randomisation test.
    """
    from scipy.stats import spearmanr

    correlations = []
    for other in untrained:
        constant = np.ptp(trained) == 0 or np.ptp(other) == 0
        found = np.nan if constant else spearmanr(trained.ravel(), other.ravel()).statistic
        correlations.append(float(found))
    return SanityCheck(tuple(correlations), tuple(seeds))
