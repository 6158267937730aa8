"""One NumPy array in a file, with its header checked before anything is allocated."""

import math
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from clearcnn.data.safe_files import check_array_bytes, open_regular
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.types import Array

# Version 3.0 is for structured arrays with Unicode field names, which no image needs.
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_arrays(
    path: Path, root: Path | None, choose: Callable[[Sequence[str]], Collection[str]]
) -> dict[str, Array]:
    """Read the array of an NPY file; its name is the file's stem.

    Raises:
      DataError: as `read_stream`, or it is no NPY file.
    """
    if not choose([path.stem]):
        return {}
    with open_regular(path, root) as file:
        num_bytes = file.seek(0, 2)
        file.seek(0)
        check_array_bytes(num_bytes, path)
        try:
            return {path.stem: read_stream(file, num_bytes, str(path))}
        except DataError:
            raise
        except Exception:  # NumPy raises almost any exception on broken headers.
            raise DataError(
                say(
                    "{path} cannot be read as an NPY file: it is damaged, or has an "
                    "unsupported format.",
                    path=path,
                ),
                remedy=say("Write the file again with numpy.save."),
            ) from None


def read_stream(stream: IO[bytes], num_bytes: int, place: str) -> Array:
    """Read one array after checking its header.

    Args:
      stream: at the start of the NPY data; seekable.
      num_bytes: of the NPY data, header included.
      place: for error messages.
    Raises:
      DataError: it contains Python objects, or not as many bytes as its header declares.
      Exception: NumPy's errors on a broken header.
    """
    start = stream.tell()
    version = np.lib.format.read_magic(stream)
    read_header = _HEADERS.get(version)
    if read_header is None:
        raise ValueError(say("unknown format version {version}", version=version))
    shape, _, dtype = read_header(stream)
    if dtype.hasobject:
        raise DataError(
            say("{place} contains Python objects, which clearcnn never unpickles.", place=place),
            remedy=say("Store plain arrays: numpy.asarray(labels, dtype=str) for names."),
        )
    holds = num_bytes - (stream.tell() - start)
    # NumPy allocates what the header declares before it reads.
    if min(shape, default=1) < 0 or math.prod(shape) * dtype.itemsize != holds:
        raise DataError(
            say(
                "{place} declares the shape {shape} of {dtype}, but contains {holds:,} bytes.",
                place=place,
                shape=shape,
                dtype=dtype,
                holds=holds,
            ),
            remedy=say("Write the file again with numpy."),
        )
    # Elements of zero bytes need no data, however many the header declares.
    if dtype.itemsize == 0:
        raise DataError(
            say(
                "{place} has the dtype {dtype}, whose elements have no bytes.",
                place=place,
                dtype=dtype,
            ),
            remedy=say("Store images, and class indices or class names."),
        )
    stream.seek(start)
    return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
