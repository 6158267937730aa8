"""What it takes to tell how far an image is from each class, in what a network makes of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class DistanceWeights:
    """Weights of the Mahalanobis distance to each class.

    With features f, the squared distance to class k is |f · whitening + offset − centres[k]|².

    Attributes:
      whitening: (num_features, num_features) float32; what it makes has, within a class, the
        covariance of the identity.
      offset: (num_features,) float32.
      centres: (num_classes, num_features) float32, the mean of each class that has images.
    """

    whitening: NDArray[np.float32]
    offset: NDArray[np.float32]
    centres: NDArray[np.float32]
