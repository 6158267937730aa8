"""Arrays that stay where they are, and are read a few rows at a time."""

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

_IN_MEMORY = {"numpy", "jax", "jaxlib", "pandas", "builtins"}
_MOST_SAMPLED = 1000


def is_stored(leaf: Any) -> bool:
    """Tell whether an array-like should not be loaded whole.

    That is a NumPy memory map, or something else with a shape, a NumPy dtype and slices, such
    as a data set of HDF5 or Zarr.
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
      array: has shape, dtype, and gives rows for a slice.
      start, stop: the rows of it that count.

    Attributes:
      shape: of these rows.
      dtype: of what `read` gives; floats become Keras's floatx.
    """

    def __init__(self, array: Any, start: int = 0, stop: int | None = None) -> None:
        self._array = array
        self._start = start
        self._stop = int(array.shape[0]) if stop is None else stop
        self.shape = (self._stop - self._start, *array.shape[1:])
        is_float = array.dtype.kind == "f"
        self.dtype = np.dtype(keras.config.floatx()) if is_float else array.dtype

    def __getitem__(self, rows: slice) -> "StoredArray":
        start, stop, _ = rows.indices(self.shape[0])
        return StoredArray(self._array, self._start + start, self._start + stop)

    def read(self, rows: NDArray[np.int32]) -> NDArray[Any]:
        """Load rows, in the order asked for.

        Args:
          rows: int (m,), each in 0..n-1.
        Returns:
          (m, ...) in memory.
        """
        positions = np.argsort(rows, kind="stable")
        ascending = rows[positions].astype(np.int64) + self._start
        loaded = np.empty((len(rows), *self.shape[1:]), self.dtype)
        # Neighbours are read by one slice, which every store can do.
        for run in np.split(np.arange(len(rows)), np.flatnonzero(np.diff(ascending) != 1) + 1):
            first, last = ascending[run[0]], ascending[run[-1]]
            loaded[positions[run]] = self._array[first : last + 1]
        return loaded

    def sample(self, rows: NDArray[np.int32]) -> NDArray[Any]:
        """Load some of the rows, evenly chosen: a thousand at most.

        Args:
          rows: int (m,), each in 0..n-1.
        Returns:
          (min(m, 1000), ...) in memory.
        """
        count = min(len(rows), _MOST_SAMPLED)
        return self.read(rows[np.linspace(0, max(0, len(rows) - 1), count).astype(int)])
