"""NumPy archives with the keys of Keras, of MedMNIST, or x and y with groups; never unpickled."""

import math
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np

from clearcnn.archives import open_archive
from clearcnn.data.arrays import join_arrays, prepare_array
from clearcnn.data.build_dataset import build_from_array
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.safe_files import check_decompressed_size, open_regular
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec
from clearcnn.types import Array

# (split name, key of the images, key of the labels): Keras's, MedMNIST's, and without a split.
KEYS = (
    ("train", "x_train", "y_train"),
    ("train", "train_images", "train_labels"),
    ("validation", "x_val", "y_val"),
    ("validation", "val_images", "val_labels"),
    ("test", "x_test", "y_test"),
    ("test", "test_images", "test_labels"),
    (None, "x", "y"),
)

# Version 3.0 is for structured arrays with Unicode field names, which no image needs.
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}

_REMEDY = "Store x_train, y_train, x_test and y_test; or x, y and optionally groups."


def recognise(path: Path) -> bool:
    """Whether a file has the suffix .npz."""
    return path.suffix.lower() == ".npz" and not path.is_dir()


def read(path: Path, spec: DataSpec) -> LabelledImages:
    """Read the arrays of an NPZ file.

    Raises:
      DataError: it is not an NPZ file, keys are missing, an array is pickled or too large, or the
        images and labels do not match.
    """
    arrays, keys = _read_arrays(path)
    found = [row for row in KEYS if row[1] in arrays or row[2] in arrays]
    splits = [split for split, _, _ in found]
    missing = [key for row in found for key in row[1:] if key not in arrays]
    if (
        missing
        or not found
        or len(set(splits)) < len(splits)
        or (None in splits and len(splits) > 1)
    ):
        fault = f"{missing[0]} is missing" if missing else "the keys do not identify one data set"
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
            f"{path}: the splits have images of different kinds: {listed}.",
            remedy="Store all images in the same shape and dtype.",
        )
    source = f"NumPy archive {path}"
    prepared, sentences = prepare_array(join_arrays(images), spec, source)
    rows = [
        (split, row) for split, some in zip(splits, labels, strict=True) for row in range(len(some))
    ]
    groups = arrays.get("groups")
    return build_from_array(
        prepared,
        np.concatenate(labels),
        spec,
        source=source,
        names=[f"{split} row {row}" if split else f"row {row}" for split, row in rows],
        groups=None
        if groups is None
        else [str(group) for group in tidy_labels(groups, f"{path}: groups")],
        split_names=[split for split, _ in rows if split] if None not in splits else None,
        preparation=sentences,
    )


def tidy_labels(labels: Array, place: str) -> Array:
    """Convert labels, whole numbers or text in (n,) or (n, 1), to (n,) of int64 or str.

    Raises:
      DataError: they are something else, such as one-hot vectors or fractions.
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


def _read_arrays(path: Path) -> tuple[dict[str, Array], list[str]]:
    """Read the arrays of known keys; return them and all keys."""
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
        reason = "it is not a complete zip archive"
    except Exception:  # zipfile and NumPy raise almost any kind on broken files
        reason = "an array in it is damaged, or has an unsupported format"
    raise DataError(
        f"{path} cannot be read as an NPZ file: {reason}.",
        remedy="Write the file again with numpy.savez.",
    )


def _read_member(archive: ZipFile, info: ZipInfo, place: str) -> Array:
    """Read one array after checking its header.

    Raises:
      DataError: it contains Python objects, or not as many bytes as its header declares.
    """
    with archive.open(info) as stream:
        version = np.lib.format.read_magic(stream)
        read_header = _HEADERS.get(version)
        if read_header is None:
            raise ValueError(f"unknown format version {version}")
        shape, _, dtype = read_header(stream)
        if dtype.hasobject:
            raise DataError(
                f"{place} contains Python objects, which clearcnn never unpickles.",
                remedy="Store plain arrays: numpy.asarray(labels, dtype=str) for names.",
            )
        holds = info.file_size - stream.tell()
        # NumPy allocates what the header declares before it reads.
        if min(shape, default=1) < 0 or math.prod(shape) * dtype.itemsize != holds:
            raise DataError(
                f"{place} declares the shape {shape} of {dtype}, but contains {holds:,} bytes.",
                remedy="Write the file again with numpy.savez.",
            )
        # Elements of zero bytes need no data, however many the header declares.
        if dtype.itemsize == 0:
            raise DataError(
                f"{place} has the dtype {dtype}, whose elements have no bytes.",
                remedy="Store images, and class indices or class names.",
            )
    with archive.open(info) as stream:
        return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
