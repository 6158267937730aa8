"""One pass over labels or weights, in chunks: the figures that a check needs."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcnn.training.streamed_array import StoredArray

_CHUNK_BYTES = 4 * 2**20

Values = NDArray[Any]


@dataclass
class Summary:
    """What is in an array.

    Attributes:
      low, high: the smallest and the largest finite value; inf and -inf if there is none.
      num_samples: rows looked at.
      num_invalid: values that are NaN or infinite.
      num_negative: values below 0.
      fraction: a value that is not a whole number, or None.
      classes: bool (classes,), which of them occur; False unless asked for.
    """

    classes: Any = np.False_
    low: float = math.inf
    high: float = -math.inf
    num_samples: int = 0
    num_invalid: int = 0
    num_negative: int = 0
    fraction: float | None = None

    def add(self, values: Values) -> None:
        """Take in some more values, of any shape."""
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
    array: Any,
    rows: NDArray[np.int32],
    *,
    sample_weight: Any = None,
    ignored: int | None = None,
    find_classes: Callable[[Values], Any] | None = None,
) -> Summary:
    """Look once at every value of some rows.

    Args:
      array: samples first; in memory, on a device or stored.
      rows: int32, the samples that count.
      sample_weight: samples first; where it is 0, values do not count. Or None.
      ignored: a value that does not count, or None.
      find_classes: tells of values (m, ...) which classes occur, bool (classes,); or None.
    """
    found = Summary()
    for values, weights in _read_chunks((array, sample_weight), rows):
        found.num_samples += len(values)
        if weights is not None and not weights.all():
            values = _leave_out(values, weights == 0)
        if ignored is not None:
            values = values[values != ignored]
        found.add(values)
        if find_classes is not None and not found.num_invalid:
            found.classes = found.classes | find_classes(values)
    return found


def occurring(values: Values, num_classes: int) -> NDArray[np.bool_]:
    """Tell which of the classes 0..num_classes-1 occur among class numbers; (num_classes,)."""
    inside = values[(values >= 0) & (values < num_classes)].astype(np.intp)
    return np.bincount(inside, minlength=num_classes) > 0


def _leave_out(values: Values, is_zero: NDArray[np.bool_]) -> Values:
    while is_zero.ndim > 1 and is_zero.shape[-1] == 1:
        is_zero = is_zero[..., 0]
    fits = is_zero.shape == values.shape[: is_zero.ndim]
    return values[~is_zero] if fits else values


def _read_chunks(arrays: tuple[Any, ...], rows: NDArray[np.int32]) -> Iterator[tuple[Any, ...]]:
    first = arrays[0]
    row_bytes = max(1, math.prod(first.shape[1:]) * first.dtype.itemsize)
    step = max(1, _CHUNK_BYTES // row_bytes)

    def read(array: Any, chunk: NDArray[np.int32]) -> Any:
        if array is None:
            return None
        return array.read(chunk) if isinstance(array, StoredArray) else np.asarray(array)[chunk]

    for start in range(0, len(rows), step):
        chunk = rows[start : start + step]
        yield tuple(read(array, chunk) for array in arrays)
