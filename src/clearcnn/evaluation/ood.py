"""How far an image is from each class, by the features that a network finds in it."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearcnn.ood import DistanceWeights

_SHRINKAGE = 0.001
# A channel that hardly ever speaks must not outweigh all others when it does.
_LEAST_DEVIATION = 1e-3


def fit_distances(features: ArrayLike, labels: ArrayLike) -> DistanceWeights:
    """Fit the Mahalanobis distance to each class, with one covariance for all of them.

    Features are brought to deviation 1 first. The covariance within classes is shrunk by a
    thousandth towards a multiple of the identity, so that it can be inverted however few images
    there are.

    Args:
      features: (n, num_features) float, n >= 1.
      labels: (n,) int, their classes.
    Returns:
      DistanceWeights, with a centre for each class that occurs.
    Source: Lee et al. 2018, NeurIPS, "A simple unified framework for detecting
      out-of-distribution samples and adversarial attacks"; shrinkage as in scikit-learn's
      ShrunkCovariance.
    """
    values = np.asarray(features, np.float64)
    _, classes = np.unique(np.asarray(labels), return_inverse=True)
    mean, deviation = values.mean(axis=0), values.std(axis=0)
    deviation = np.maximum(deviation, _LEAST_DEVIATION * deviation.max())
    deviation = np.where(deviation > 0, deviation, 1.0)
    scaled = (values - mean) / deviation
    centres = np.stack([scaled[classes == k].mean(axis=0) for k in range(classes.max() + 1)])
    turned = _whiten(scaled - centres[classes])
    whitening = turned / deviation[:, np.newaxis]
    return DistanceWeights(
        whitening=whitening.astype(np.float32),
        offset=(-mean @ whitening).astype(np.float32),
        centres=(centres @ turned).astype(np.float32),
    )


def _whiten(residuals: NDArray[np.float64]) -> NDArray[np.float64]:
    covariance = residuals.T @ residuals / len(residuals)
    # Where every image has the features of its class, any distance at all is far.
    size = np.trace(covariance) / len(covariance) or 1.0
    shrunk = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * size * np.eye(len(covariance))
    variances, directions = np.linalg.eigh(shrunk)
    whitened: NDArray[np.float64] = directions / np.sqrt(variances)
    return whitened
