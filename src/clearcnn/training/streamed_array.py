"""Arrays that stay in their files, and are read a few rows at a time."""

from typing import Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from clearcnn.types import NumPyArray

_IN_MEMORY = {"numpy", "jax", "jaxlib", "pandas", "builtins"}
_MOST_SAMPLED = 1000


class SliceableArray(Protocol):
    """An array-like such as a NumPy memory map, or a data set of HDF5 or Zarr."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Samples first."""

    @property
    def dtype(self) -> np.dtype:
        """NumPy's."""

    def __getitem__(self, rows: slice, /) -> NumPyArray:
        """Load rows into memory."""


def is_stored(leaf: object) -> bool:
    """Tell whether an array-like should be streamed instead of loaded whole.

    That is a NumPy memory map, or another array-like with a shape, a NumPy dtype and slices.
    """
    if isinstance(leaf, np.memmap):
        return True
    sliceable = hasattr(leaf, "__getitem__") and isinstance(getattr(leaf, "dtype", None), np.dtype)
    return (
        sliceable
        and bool(getattr(leaf, "shape", ()))
        and type(leaf).__module__.partition(".")[0] not in _IN_MEMORY
    )


class StoredArray:
    """A range of rows of an array that is read by slices.

    Args:
      array: to read from.
      start, stop: the range.

    Attributes:
      shape: of these rows.
      dtype: of what `read` returns; floats become Keras's floatx.
    """

    def __init__(self, array: SliceableArray, start: int = 0, stop: int | None = None) -> None:
        self._array = array
        self._start = start
        self._stop = int(array.shape[0]) if stop is None else stop
        self.shape = (self._stop - self._start, *array.shape[1:])
        is_float = array.dtype.kind == "f"
        self.dtype = np.dtype(keras.config.floatx()) if is_float else array.dtype

    def __getitem__(self, rows: slice) -> "StoredArray":
        start, stop, _ = rows.indices(self.shape[0])
        return StoredArray(self._array, self._start + start, self._start + stop)

    def read(self, rows: NDArray[np.int32]) -> NumPyArray:
        """Load rows, in the given order.

        Args:
          rows: int (m,), each in 0..n-1.
        Returns:
          (m, ...) in memory.
        """
        positions = np.argsort(rows, kind="stable")
        ascending = rows[positions].astype(np.int64) + self._start
        loaded = np.empty((len(rows), *self.shape[1:]), self.dtype)
        # Adjacent rows are read by one slice, which every kind of store supports.
        for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(ascending) != 1) + 1):
            first, last = ascending[run[0]], ascending[run[-1]]
            loaded[positions[run]] = self._array[first : last + 1]
        return loaded

    def sample(self, rows: NDArray[np.int32]) -> NumPyArray:
        """Load at most a thousand of the rows, evenly chosen.

        Args:
          rows: int (m,), each in 0..n-1.
        Returns:
          (min(m, 1000), ...) in memory.
        """
        count = min(len(rows), _MOST_SAMPLED)
        return self.read(rows[np.linspace(0, max(0, len(rows) - 1), count).astype(int)])
