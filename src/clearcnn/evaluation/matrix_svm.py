"""An SVM with an RBF kernel that gets the kernel of all its images from matrix products.

scikit-learn's SVC computes one dot product for each pair of images, and in each of its classifiers
of two classes again. A matrix product gives all pairs at once, with the same predictions, and takes
a small part of the time if images have thousands of values.
"""

from collections.abc import Mapping
from functools import partial
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.svm import SVC
from sklearn.utils import gen_batches
from sklearn.utils.validation import check_is_fitted, validate_data

_GIB = 1 << 30
_BYTES_OF_A_PAIR = 8
# Temporary matrices have as many rows, and as many columns as there are training images.
_BATCH = 500


class MatrixSVC(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """scikit-learn's `SVC(kernel="rbf", gamma="scale")`, trained on a matrix of its kernel.

    n training images take n² values of 8 bytes: 0.8 GB for 10,000 images. From 11,586 images on,
    this would be more than 1 GiB, and SVC computes the kernel pair by pair, as it does if an image
    has a weight of 0.

    Args:
      C: weight of the training errors, more than 0.
      class_weight: as in SVC: label → weight, "balanced", or None for equal weights.
      most_bytes: of the matrix.

    Attributes:
      classes_: (num_classes,) the labels, sorted.
      svm_: the trained SVC.
    """

    def __init__(
        self,
        C: float = 1.0,  # noqa: N803 - SVC's name
        class_weight: Mapping[int, float] | str | None = None,
        most_bytes: int = _GIB,
    ) -> None:
        self.C = C
        self.class_weight = class_weight
        self.most_bytes = most_bytes

    def fit(
        self,
        X: ArrayLike,  # noqa: N803 - scikit-learn's name
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train on images, X of (n, num_values), with labels y of (n,).

        Args:
          X, y: images and labels.
          sample_weight: (n,) one weight per image, which multiplies its class's.
        """
        rows, labels = validate_data(self, X, y, dtype=np.float64)
        is_small = len(rows) ** 2 * _BYTES_OF_A_PAIR <= self.most_bytes
        # SVC leaves out images of weight 0, and would then mistake the columns of a matrix.
        is_weighed = sample_weight is None or bool(np.all(np.asarray(sample_weight) > 0))
        kernel: str | partial[NDArray[np.float64]] = "rbf"
        if is_small and is_weighed:
            kernel = partial(_compute_kernel, gamma=_scale_gamma(rows))
        self.svm_ = SVC(C=self.C, kernel=kernel, class_weight=self.class_weight)
        self.svm_.fit(rows, labels, sample_weight)
        self.classes_ = self.svm_.classes_
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.generic]:  # noqa: N803 - scikit-learn's name
        """Predict the labels, (n,), of images (n, num_values)."""
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        batches = gen_batches(len(rows), _BATCH)
        return np.concatenate([self.svm_.predict(rows[batch]) for batch in batches])


def _scale_gamma(rows: NDArray[np.float64]) -> float:
    """Compute gamma as SVC's "scale" does; it is 1 if all values are equal."""
    variance = float(rows.var())
    return 1 / (rows.shape[1] * variance) if variance else 1.0


def _compute_kernel(
    left: NDArray[np.float64], right: NDArray[np.float64], gamma: float
) -> NDArray[np.float64]:
    """Compute exp(-gamma · |a - b|²) of all pairs, in blocks; if left is right, half of them."""
    kernel = np.empty((len(left), len(right)))
    is_symmetric = left is right
    for rows in gen_batches(len(left), _BATCH):
        for columns in gen_batches(len(right), _BATCH):
            if is_symmetric and columns.start < rows.start:
                kernel[rows, columns] = kernel[columns, rows].T
            else:
                kernel[rows, columns] = rbf_kernel(left[rows], right[columns], gamma)
    return kernel
