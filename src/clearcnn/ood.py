"""The weights of the distance from an image to each class, in a network's feature space."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class DistanceWeights:
    """Weights of the Mahalanobis distance to each class.

    With features f, the squared distance to class k is |f · whitening + offset − centres[k]|².

    Attributes:
      whitening: (num_features, num_features) float32; makes the covariance within a class the
        identity.
      offset: (num_features,) float32.
      centres: (num_classes, num_features) float32, the whitened mean of each class with images.
    """

    whitening: NDArray[np.float32]
    offset: NDArray[np.float32]
    centres: NDArray[np.float32]
