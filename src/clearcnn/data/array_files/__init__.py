"""Files of numeric arrays by name: NumPy's, MATLAB's and HDF5's; nothing in them is executed.

Each reader lists the names in a file, lets the caller choose, checks what the chosen arrays declare
against `check_decompressed_size`, and only then reads them.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Protocol

from clearcnn.data.array_files import hdf5, matlab, npy, npz
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.types import Array

Choice = Callable[[Sequence[str]], Collection[str]]
"""Given all names in a file, returns those to read."""


class _Reader(Protocol):
    def __call__(self, path: Path, root: Path | None, choose: Choice) -> dict[str, Array]: ...


_READERS: dict[str, _Reader] = {
    ".npy": npy.read_arrays,
    ".npz": npz.read_arrays,
    ".mat": matlab.read_arrays,
    **dict.fromkeys((".h5", ".hdf5", ".hdf"), hdf5.read_arrays),
}
SUFFIXES = frozenset(_READERS)


def is_array_file(path: Path) -> bool:
    """Whether a file has the suffix of a file of arrays."""
    return path.suffix.lower() in SUFFIXES


def read_arrays(path: Path, choose: Choice, root: Path | None = None) -> dict[str, Array]:
    """Read the chosen arrays of a file, in the file's order.

    Args:
      path, root: as for `open_regular`.
      choose: gets the names of all arrays; a name such as "train/data" is in a group of HDF5.
    Raises:
      DataError: the file is damaged, contains Python objects, or declares more than is read.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(
            say(
                "{path} is no file of arrays; expected {suffixes}.",
                path=path,
                suffixes=", ".join(sorted(SUFFIXES)),
            ),
            remedy=say("Store the arrays with numpy.savez."),
        )
    return reader(path, root, choose)
