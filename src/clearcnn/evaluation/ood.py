"""Out-of-distribution detection: Mahalanobis distances in the network's feature space."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearcnn.ood import DistanceWeights

_SHRINKAGE = 0.001
# A channel that is almost always 0 must not dominate the distance when it is not.
_LEAST_DEVIATION = 1e-3


def fit_distances(features: ArrayLike, labels: ArrayLike) -> DistanceWeights:
    """Fit the Mahalanobis distance to each class, with a shared covariance.

    Features are standardised first. The within-class covariance is shrunk by 0.001 towards a
    multiple of the identity, so that it is invertible for any number of images.

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
    # The covariance is 0 where all images of a class have the same features.
    size = np.trace(covariance) / len(covariance) or 1.0
    shrunk = (1 - _SHRINKAGE) * covariance + _SHRINKAGE * size * np.eye(len(covariance))
    variances, directions = np.linalg.eigh(shrunk)
    whitened: NDArray[np.float64] = directions / np.sqrt(variances)
    return whitened
