"""Detect images whose pixel values have a different range from the training images'.

A model trained on 0 to 255 silently predicts images in 0 to 1 as if they were black. A single dark
image has such values too, so there is no warning where the two cannot be distinguished.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcnn.errors import BundleError
from clearcnn.language import say

# A larger ratio is not explained by brightness, contrast or outliers.
_FACTOR = 10
# This many images are not all dark by chance.
_MANY = 10


@dataclass(frozen=True)
class PixelRange:
    """Statistics of the training images.

    Attributes:
      low, high: the smallest and the largest value.
      peak: the largest absolute value of an image; the median over the images.
      is_whole: whether all values are whole numbers.
    """

    low: float
    high: float
    peak: float
    is_whole: bool

    def __post_init__(self) -> None:
        if not (math.isfinite(self.peak) and -math.inf < self.low <= self.high < math.inf):
            raise BundleError(
                say(
                    "The pixels of the training images range from {low:g} to {high:g}, with a "
                    "peak of {peak:g}; expected finite numbers in order.",
                    low=self.low,
                    high=self.high,
                    peak=self.peak,
                ),
                remedy=say("Restore the run folder from a backup, or train again."),
            )

    @classmethod
    def of(cls, rows: NDArray[np.generic]) -> "PixelRange":
        """Compute the statistics of training images, (n, num_values), n >= 1."""
        return cls(
            float(rows.min()),
            float(rows.max()),
            float(np.median(_find_peaks(rows))),
            _is_whole(rows),
        )

    def find_mismatch(
        self, rows: NDArray[np.generic], *, what: str = "X", model: str = say("the classifier")
    ) -> str | None:
        """Return a warning if other images have a very different range.

        There is a mismatch if values are over ten times as large as any training value; or if
        values are negative where none were, and at least half as large as the positive ones; or if
        values are at most a tenth of the usual peak. Dark images have small values too, so the
        last rule also needs negative values, or fractions from 0 to 1 where training values were
        whole numbers, or at least ten images. Constant images, such as black ones, are ignored.

        Args:
          rows: (n, num_values), n >= 1.
          what, model: the names of the images and of the model in the sentence.
        Returns:
          A sentence with both ranges, or None.
        """
        low, high = rows.min().item(), rows.max().item()
        largest = max(-low, high)
        is_large = largest > _FACTOR * max(-self.low, self.high)
        is_negative = low < 0 <= self.low and -low > high / 2
        if not (is_large or is_negative or self._is_small(rows, low, largest)):
            return None
        return say(
            "{what} has values from {low:g} to {high:g}, and {model} was trained on "
            "values from {model_low:g} to {model_high:g}, so its predictions mean little. Scale "
            "{what} like the training images.",
            what=what,
            low=low,
            high=high,
            model=model,
            model_low=self.low,
            model_high=self.high,
        )

    def _is_small(self, rows: NDArray[np.generic], low: float, largest: float) -> bool:
        if largest > self.peak / _FACTOR:
            return False
        varied = rows[(rows != rows[:, :1]).any(axis=1)]
        is_scaled = largest <= 1 and self.is_whole and not _is_whole(varied)
        return len(varied) > 0 and (len(varied) >= _MANY or low < 0 <= self.low or is_scaled)


def _find_peaks(rows: NDArray[np.generic]) -> NDArray[np.float64]:
    low, high = rows.min(axis=1).astype(np.float64), rows.max(axis=1).astype(np.float64)
    peaks: NDArray[np.float64] = np.maximum(-low, high)
    return peaks


def _is_whole(rows: NDArray[np.generic]) -> bool:
    return rows.dtype.kind != "f" or bool((rows == np.floor(rows)).all())
