"""HDF5 files with numeric datasets, as h5py, PyTables and MATLAB 7.3 write them.

Only hard links are followed, so nothing outside the file is read; datasets stored in other files,
virtual datasets and filters that HDF5 loads from plugins are rejected.
"""

import math
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from clearcnn.data.safe_files import check_decompressed_size, open_regular
from clearcnn.errors import ClearCNNError, DataError
from clearcnn.language import say
from clearcnn.types import Array

_MOST_NAMES = 1000
_DEEPEST = 3
_MOST_AXES = 8
_MOST_CHUNK_BYTES = 2**28
# HDF5's numbers of deflate, shuffle, Fletcher's checksum and LZF: built into h5py.
_FILTERS = frozenset([1, 2, 3, 32000])


def read_arrays(
    path: Path, root: Path | None, choose: Callable[[Sequence[str]], Collection[str]]
) -> dict[str, Array]:
    """Read the chosen datasets of an HDF5 file; names are paths such as "train/data".

    Raises:
      DataError: it is damaged, declares more than is read, or a chosen dataset is stored in
        another file, uses an unknown filter, or has elements other than numbers or text.
    """
    # Imported here, since it takes a while to load.
    import h5py

    try:
        with open_regular(path, root) as opened, h5py.File(opened, "r") as file:
            if "model_weights" in file or "model_config" in file.attrs:
                raise DataError(
                    say("{path} is a Keras model, not a data set.", path=path),
                    remedy=say("Name the images; clearcnn predicts with run folders of its own."),
                )
            found = _find_datasets(file, "", _DEEPEST)
            chosen = choose(list(found))
            sizes = [_declared_bytes(found[name], f"{path}: {name}") for name in chosen]
            check_decompressed_size(sum(sizes), path)
            return {name: _read(found[name]) for name in chosen}
    except ClearCNNError:
        raise
    except Exception:  # HDF5 raises almost any exception on damaged files.
        raise DataError(
            say(
                "{path} cannot be read as HDF5: it is damaged, truncated, or not an HDF5 file.",
                path=path,
            ),
            remedy=say("Download or write the file again."),
        ) from None


def _find_datasets(group: Any, prefix: str, depth: int) -> dict[str, Any]:
    import h5py

    found: dict[str, Any] = {}
    for name in group:
        if len(found) > _MOST_NAMES:
            break
        # Soft and external links lead elsewhere.
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        # MATLAB 7.3 stores what cells refer to in #refs#.
        if name.startswith("#"):
            continue
        with suppress(KeyError):
            member = group[name]
            if isinstance(member, h5py.Dataset):
                found[prefix + name] = member
            elif isinstance(member, h5py.Group) and depth > 1:
                found |= _find_datasets(member, f"{prefix}{name}/", depth - 1)
    return found


def _declared_bytes(dataset: Any, place: str) -> int:
    """Check how a dataset is stored, and return the bytes that it declares."""
    plan = dataset.id.get_create_plist()
    if plan.get_external_count() or dataset.is_virtual:
        raise DataError(
            say("{place} is stored in other files, which are not read.", place=place),
            remedy=say("Copy the dataset into one file, for example with h5repack."),
        )
    filters = {plan.get_filter(k)[0] for k in range(plan.get_nfilters())}
    if filters - _FILTERS:
        raise DataError(
            say(
                "{place} is compressed by the filter {filter}, which is not built into HDF5; "
                "gzip and lzf are read.",
                place=place,
                filter=min(filters - _FILTERS),
            ),
            remedy=say("Write it again with gzip: h5repack -f GZIP=6 IN OUT."),
        )
    shape, dtype = dataset.shape, dataset.dtype
    if shape is None or len(shape) > _MOST_AXES or dtype.kind not in "biufSO":
        raise DataError(
            say(
                "{place} has elements of {dtype} in the shape {shape}; numbers were expected.",
                place=place,
                dtype=dtype,
                shape=shape,
            ),
            remedy=say("Store images, and class indices."),
        )
    if dtype.kind == "O" or dtype.itemsize > 1024:
        raise DataError(
            say("{place} has elements of variable or unusual length.", place=place),
            remedy=say("Store class indices, or names of fixed length: numpy.asarray(names, 'S')."),
        )
    chunk = math.prod(dataset.chunks or (1,)) * dtype.itemsize
    if chunk > _MOST_CHUNK_BYTES:
        raise DataError(
            say(
                "{place} is stored in chunks of {chunk:,} bytes; at most {most_chunk_bytes:,} "
                "are read.",
                place=place,
                chunk=chunk,
                most_chunk_bytes=_MOST_CHUNK_BYTES,
            ),
            remedy=say("Write it again in smaller chunks."),
        )
    return int(math.prod(shape)) * int(dtype.itemsize)


def _read(dataset: Any) -> Array:
    return np.asarray(dataset[()])
