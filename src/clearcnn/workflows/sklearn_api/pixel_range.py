"""The range of the pixel values that a classifier was trained on, and whether others are like it.

A model trained on 0 to 255 answers for 0 to 1 as it would for black pictures, and says nothing.
A single dark picture is no such mistake, so what it cannot be told from is not warned of.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Beyond this, no light, contrast or outlier explains the difference.
_FACTOR = 10
# So many pictures are not all dark by chance.
_MANY = 10


@dataclass(frozen=True)
class PixelRange:
    """What is remembered of the images trained on.

    Attributes:
      low, high: the smallest and the largest value.
      peak: the largest absolute value of an image; the median over the images.
      is_whole: whether all values are whole numbers.
    """

    low: float
    high: float
    peak: float
    is_whole: bool

    @classmethod
    def of(cls, rows: NDArray[np.generic]) -> "PixelRange":
        """Look at the images trained on, (n, values), n >= 1."""
        return cls(
            rows.min().item(),
            rows.max().item(),
            float(np.median(_find_peaks(rows))),
            _is_whole(rows),
        )

    def find_mismatch(self, rows: NDArray[np.generic]) -> str | None:
        """Tell whether other images have quite another range.

        That is one of three: values ten times as large as any before; negative ones where there
        were none, half as large as the positive ones or more; or values a tenth as large as usual.
        The last is what dark pictures have too, so it counts only with negative values, or with
        the fractions from 0 to 1 that scaling makes of whole numbers, or if none of ten images or
        more has larger ones; images of one value, such as black ones, are left out.

        Args:
          rows: (n, values), n >= 1.
        Returns:
          A sentence with the two ranges, or None.
        """
        low, high = rows.min().item(), rows.max().item()
        largest = max(-low, high)
        is_large = largest > _FACTOR * max(-self.low, self.high)
        is_negative = low < 0 <= self.low and -low > high / 2
        if not (is_large or is_negative or self._is_small(rows, low, largest)):
            return None
        return (
            f"X runs from {low:g} to {high:g}, and the classifier was trained on values from "
            f"{self.low:g} to {self.high:g}, so its predictions mean little. Scale X as the "
            "training images were."
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
