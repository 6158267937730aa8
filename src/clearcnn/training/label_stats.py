"""Statistics of labels or weights, in one pass over chunks."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from clearcnn.training.streamed_array import StoredArray
from clearcnn.types import NumPyArray

_CHUNK_BYTES = 4 * 2**20

FindClasses = Callable[[NumPyArray], NDArray[np.bool_]]


@dataclass
class Summary:
    """Statistics of an array.

    Attributes:
      low, high: the smallest and the largest finite value; inf and -inf if there is none.
      num_samples: rows that were read.
      num_invalid: values that are NaN or infinite.
      num_negative: values below 0.
      fraction: a value that is not a whole number, or None.
      classes: bool (classes,), which of them occur; False (no axis) unless asked for.
    """

    classes: NDArray[np.bool_] = field(default_factory=lambda: np.array(False))
    low: float = math.inf
    high: float = -math.inf
    num_samples: int = 0
    num_invalid: int = 0
    num_negative: int = 0
    fraction: float | None = None

    def add(self, values: NumPyArray) -> None:
        """Add values of any shape."""
        if values.dtype.kind == "f":
            finite = np.isfinite(values)
            if not finite.all():
                self.num_invalid += int((~finite).sum())
                values = values[finite]
        if not values.size:
            return
        self.low, self.high = (
            min(self.low, values.min().item()),
            max(self.high, values.max().item()),
        )
        if self.low < 0:
            self.num_negative += int((values < 0).sum())
        if values.dtype.kind == "f" and self.fraction is None:
            fractions = values[values != np.floor(values)]
            self.fraction = float(fractions[0]) if fractions.size else None


def summarize(
    array: NumPyArray | StoredArray,
    rows: NDArray[np.int32],
    *,
    sample_weight: NumPyArray | StoredArray | None = None,
    ignored: int | None = None,
    find_classes: FindClasses | None = None,
) -> Summary:
    """Compute the statistics of some rows.

    Args:
      array: samples first; in memory, on a device or in a file.
      rows: int32, the samples to read.
      sample_weight: samples first; values with weight 0 are left out. Or None.
      ignored: a value that is left out, or None.
      find_classes: returns which classes occur in values (m, ...), bool (classes,); or None.
    """
    found = Summary()
    for values, weights in _read_chunks(array, sample_weight, rows):
        found.num_samples += len(values)
        if weights is not None and not weights.all():
            values = _leave_out(values, weights == 0)
        if ignored is not None:
            values = values[values != ignored]
        found.add(values)
        if find_classes is not None and not found.num_invalid:
            found.classes = found.classes | find_classes(values)
    return found


def occurring(values: NumPyArray, num_classes: int) -> NDArray[np.bool_]:
    """Return which of the classes 0..num_classes-1 occur among class numbers; (num_classes,)."""
    inside = values[(values >= 0) & (values < num_classes)].astype(np.intp)
    return np.bincount(inside, minlength=num_classes) > 0


def _leave_out(values: NumPyArray, is_zero: NDArray[np.bool_]) -> NumPyArray:
    while is_zero.ndim > 1 and is_zero.shape[-1] == 1:
        is_zero = is_zero[..., 0]
    fits = is_zero.shape == values.shape[: is_zero.ndim]
    return values[~is_zero] if fits else values


def _read_chunks(
    array: NumPyArray | StoredArray,
    sample_weight: NumPyArray | StoredArray | None,
    rows: NDArray[np.int32],
) -> Iterator[tuple[NumPyArray, NumPyArray | None]]:
    row_bytes = max(1, math.prod(array.shape[1:]) * array.dtype.itemsize)
    step = max(1, _CHUNK_BYTES // row_bytes)
    for start in range(0, len(rows), step):
        chunk = rows[start : start + step]
        weights = None if sample_weight is None else _read(sample_weight, chunk)
        yield _read(array, chunk), weights


def _read(array: NumPyArray | StoredArray, rows: NDArray[np.int32]) -> NumPyArray:
    return array.read(rows) if isinstance(array, StoredArray) else np.asarray(array)[rows]
