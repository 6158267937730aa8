"""NumPy archives: Keras's keys, MedMNIST's, or x and y with groups; never unpickled."""

import math
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
from numpy.typing import NDArray

from clearcnn.archives import open_archive
from clearcnn.data.arrays import join_parts, prepare_array
from clearcnn.data.build_dataset import assemble
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.safe_files import check_decompressed_size, open_regular
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec

# (part, key of the images, key of the labels): Keras's names, MedMNIST's, and all in one.
KEYS = (
    ("train", "x_train", "y_train"),
    ("train", "train_images", "train_labels"),
    ("validation", "x_val", "y_val"),
    ("validation", "val_images", "val_labels"),
    ("test", "x_test", "y_test"),
    ("test", "test_images", "test_labels"),
    (None, "x", "y"),
)

# The third format is for names of fields, which no image has.
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}

_REMEDY = "Store x_train, y_train, x_test and y_test, or x and y and, if known, groups."


def read(path: Path, spec: DataSpec) -> LabelledImages:
    """Read the arrays of an NPZ file.

    Raises:
      DataError: it is no NPZ file, keys are missing, an array is pickled or too large, or
        images and labels do not go together.
    """
    arrays, keys = _read_arrays(path)
    found = [row for row in KEYS if row[1] in arrays or row[2] in arrays]
    parts = [part for part, _, _ in found]
    missing = [key for row in found for key in row[1:] if key not in arrays]
    if missing or not found or len(set(parts)) < len(parts) or (None in parts and len(parts) > 1):
        fault = f"{missing[0]} is missing" if missing else "the keys give no one set of images"
        raise DataError(
            f"{path}: {fault}; the keys are {', '.join(keys) or 'none'}.", remedy=_REMEDY
        )
    images = [arrays[x] for _, x, _ in found]
    labels = [tidy_labels(arrays[y], f"{path}: {y}") for _, _, y in found]
    for (_, x, y), some, theirs in zip(found, images, labels, strict=True):
        if some.ndim == 0 or len(some) != len(theirs):
            raise DataError(
                f"{path}: {x} has the shape {some.shape}, but {y} has {len(theirs):,} labels.",
                remedy="Store one label for each image.",
            )
    kinds = {(some.shape[1:], some.dtype.name) for some in images}
    if len(kinds) > 1:
        listed = " and ".join(f"{shape} of {dtype}" for shape, dtype in sorted(kinds))
        raise DataError(
            f"{path}: the parts hold different images: {listed}.",
            remedy="Store all parts in one shape and dtype.",
        )
    source = f"NumPy archive {path}"
    prepared, sentences = prepare_array(join_parts(images), spec, source)
    rows = [
        (part, row) for part, some in zip(parts, labels, strict=True) for row in range(len(some))
    ]
    groups = arrays.get("groups")
    return assemble(
        prepared,
        np.concatenate(labels),
        spec,
        source=source,
        names=[f"{part} row {row}" if part else f"row {row}" for part, row in rows],
        groups=None
        if groups is None
        else [str(group) for group in tidy_labels(groups, f"{path}: groups")],
        parts=[part for part, _ in rows if part] if None not in parts else None,
        preparation=sentences,
    )


def tidy_labels(labels: NDArray[Any], place: str) -> NDArray[Any]:
    """Labels as (n,) of int64 or str, from whole numbers or text in (n,) or (n, 1).

    Raises:
      DataError: they are of another kind, such as one-hot or not whole numbers.
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise DataError(
            f"{place} has the shape {labels.shape}; (n,) or (n, 1) was expected.",
            remedy="Turn one-hot labels into class indices: numpy.argmax(y, axis=1).",
        )
    if labels.dtype.kind == "U":
        return labels
    if labels.dtype.kind == "S":
        return np.char.decode(labels, "utf-8", "replace")
    if labels.dtype.kind in "iub" or (
        labels.dtype.kind == "f" and bool((np.isfinite(labels) & (labels == np.rint(labels))).all())
    ):
        return labels.astype(np.int64)
    raise DataError(
        f"{place} has the dtype {labels.dtype} and values that are neither whole numbers nor text.",
        remedy="Store class indices or class names.",
    )


def _read_arrays(path: Path) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """The arrays of known keys, and all keys there are."""
    wanted = {key for row in KEYS for key in row[1:]} | {"groups"}
    try:
        with open_regular(path) as file, open_archive(file) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            check_decompressed_size(sum(info.file_size for info in archive.infolist()), path)
            arrays = {
                key: _read_member(archive, info, f"{path}: {key}")
                for key, info in members.items()
                if key in wanted
            }
            return arrays, list(members)
    except DataError:
        raise
    except BadZipFile:
        reason = "it is no whole zip archive"
    except Exception:  # zipfile and NumPy raise almost any kind on broken files
        reason = "an array in it is damaged, or of a kind that cannot be read"
    raise DataError(
        f"{path} cannot be read as an NPZ file: {reason}.",
        remedy="Write it again with numpy.savez.",
    )


def _read_member(archive: ZipFile, info: ZipInfo, place: str) -> NDArray[Any]:
    """One array, whose header is looked at before anything is made of it.

    Raises:
      DataError: it holds objects, or not the bytes that its header declares.
    """
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        read_header = _HEADERS.get(version)
        if read_header is None:
            raise ValueError(f"its format {version} is not known")
        shape, _, dtype = read_header(stream)
        if dtype.hasobject:
            raise DataError(
                f"{place} holds Python objects, which are never unpickled.",
                remedy="Store plain arrays: numpy.asarray(labels, dtype=str) for names.",
            )
        holds = info.file_size - stream.tell()
        # NumPy would make room for what is declared before it reads.
        if min(shape, default=1) < 0 or math.prod(shape) * dtype.itemsize != holds:
            raise DataError(
                f"{place} declares the shape {shape} of {dtype}, but holds {holds:,} bytes.",
                remedy="Write it again with numpy.savez.",
            )
        # Nothing is read of elements of no bytes, however many are declared.
        if dtype.itemsize == 0:
            raise DataError(
                f"{place} has the dtype {dtype}, whose elements hold nothing.",
                remedy="Store images, and class indices or class names.",
            )
    with archive.open(info) as stream:
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
