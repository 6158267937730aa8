"""The binary version of CIFAR-10 and CIFAR-100, and STL-10's files of the same kind.

A record of CIFAR is the label, of one byte (CIFAR-100: the coarse and the fine label), and 3,072
bytes: the red, green and blue plane of 32×32 pixels, row by row. STL-10 has images and labels in
two files; its planes of 96×96 pixels lie column by column, and its labels begin at 1.

Sources: A. Krizhevsky, "The CIFAR-10 and CIFAR-100 datasets"; A. Coates, H. Lee, A. Ng, "STL-10
dataset".
"""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clearcnn.data.array_parts import ArrayPart, build_from_parts
from clearcnn.data.classes import quote
from clearcnn.data.column_options import reject_columns
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.natural_sort import natural_key
from clearcnn.data.safe_files import LARGEST_ARRAY_BYTES, read_bytes
from clearcnn.data.tables import open_text, read_lines
from clearcnn.errors import DataError
from clearcnn.language import join, say
from clearcnn.specs import DataSpec
from clearcnn.types import Array

_SIDE, _STL_SIDE = 32, 96
_PIXELS = 3 * _SIDE**2
_CIFAR = re.compile(r"(data_batch_\d+|test_batch|train|test)\.bin", re.IGNORECASE)
_STL = re.compile(r"(train|test|unlabeled)_X\.bin", re.IGNORECASE)
_NAMES_10, _NAMES_FINE, _NAMES_COARSE = (
    "batches.meta.txt",
    "fine_label_names.txt",
    "coarse_label_names.txt",
)
_STL_NAMES = "class_names.txt"
_LONGEST_LIST = 1000
COLUMNS = ("fine_label", "coarse_label")


def recognise(path: Path) -> bool:
    """Whether a folder has files of CIFAR's or STL-10's names, or a file has one."""
    if not path.is_dir():
        return _CIFAR.fullmatch(path.name) is not None or _STL.fullmatch(path.name) is not None
    return bool(_find(path, _CIFAR) or _find(path, _STL))


def read(path: Path, spec: DataSpec) -> LabelledImages:
    """Read the binary files of a folder, or one of them.

    Raises:
      DataError: a file has not a whole number of images, a label is out of range, or CIFAR-100's
        labels are not chosen.
    """
    reject_columns(spec, path, "image_column", "group_column")
    folder, root = (path, path) if path.is_dir() else (path.parent, None)
    if stl := _find(folder, _STL) if root else [path] if _STL.fullmatch(path.name) else []:
        reject_columns(spec, path, "label_column")
        return _read_stl(stl, folder, root, path, spec)
    files = _find(folder, _CIFAR) if root else [path]
    is_100 = (folder / _NAMES_FINE).exists() or any(
        file.name.lower() in ("train.bin", "test.bin") for file in files
    )
    if not is_100:
        reject_columns(spec, path, "label_column")
    column = _choose_column(path, spec) if is_100 else 0
    parts = [_read_cifar(file, root, 1 + is_100, column) for file in files]
    listed = (_NAMES_COARSE, _NAMES_FINE)[column] if is_100 else _NAMES_10
    return build_from_parts(
        parts if len({part.split for part in parts}) > 1 else [_without_split(p) for p in parts],
        spec,
        source=say("CIFAR-{version} in {path}", version=100 if is_100 else 10, path=path),
        place=path,
        class_names=_read_names(folder / listed, root),
    )


def _find(folder: Path, pattern: re.Pattern[str]) -> list[Path]:
    found = [path for path in folder.iterdir() if pattern.fullmatch(path.name)]
    return sorted(found, key=lambda path: natural_key(path.name))


def _choose_column(path: Path, spec: DataSpec) -> int:
    """Return the place of the chosen label in a record: coarse before fine."""
    if spec.label_column not in COLUMNS:
        raise DataError(
            say(
                "{path} has two labels for each image: {columns}, of 100 and of 20 classes.",
                path=path,
                columns=join(say(" and "), COLUMNS),
            ),
            remedy=say("Choose one: --label-column {columns}", columns=COLUMNS[0]),
        )
    return 1 - COLUMNS.index(spec.label_column)


def _read_cifar(file: Path, root: Path | None, num_labels: int, column: int) -> ArrayPart:
    content = _read_records(file, root, num_labels + _PIXELS)
    return ArrayPart(
        split="test" if file.name.lower().startswith("test") else "train",
        images=np.moveaxis(content[:, num_labels:].reshape(-1, 3, _SIDE, _SIDE), 1, -1),
        labels=content[:, column].astype(np.int64),
        images_name=file.name,
        labels_name=file.name,
    )


def _read_stl(
    files: Sequence[Path], folder: Path, root: Path | None, path: Path, spec: DataSpec
) -> LabelledImages:
    parts, unlabelled = [], []
    for file in files:
        partner = folder / re.sub(r"_X\.bin$", "_y.bin", file.name, flags=re.IGNORECASE)
        if file.name.lower().startswith("unlabeled"):
            unlabelled.append(file.name)
            continue
        pixels = _read_records(file, root, 3 * _STL_SIDE**2)
        planes = pixels.reshape(-1, 3, _STL_SIDE, _STL_SIDE)
        labels = _read_records(partner, root or folder, 1).reshape(-1).astype(np.int64)
        split = "test" if file.name.lower().startswith("test") else "train"
        parts.append(
            ArrayPart(split, planes.transpose(0, 3, 2, 1), labels, file.name, partner.name)
        )
    if not parts:
        raise DataError(
            say(
                "{path} has images without labels only: {unlabelled}.",
                path=path,
                unlabelled=quote(unlabelled),
            ),
            remedy=say("Put train_X.bin, train_y.bin, test_X.bin and test_y.bin into the folder."),
        )
    said = (
        [say("Images without labels left out: {unlabelled}.", unlabelled=quote(unlabelled))]
        if unlabelled
        else []
    )
    return build_from_parts(
        parts if len(parts) > 1 else [_without_split(parts[0])],
        spec,
        source=say("STL-10 in {path}", path=path),
        place=path,
        class_names=_read_names(folder / _STL_NAMES, root),
        preparation=said,
    )


def _without_split(part: ArrayPart) -> ArrayPart:
    return ArrayPart(None, part.images, part.labels, part.images_name, part.labels_name)


def _read_records(file: Path, root: Path | None, num_bytes: int) -> Array:
    content = read_bytes(file, root, limit_bytes=LARGEST_ARRAY_BYTES)
    if len(content) % num_bytes:
        raise DataError(
            say(
                "{file} has {num_bytes:,} bytes, which is no multiple of {record_bytes:,}, the "
                "bytes of one record.",
                file=file,
                num_bytes=len(content),
                record_bytes=num_bytes,
            ),
            remedy=say("Download the file again."),
        )
    return np.frombuffer(content, np.uint8).reshape(-1, num_bytes)


def _read_names(table: Path, root: Path | None) -> list[str] | None:
    """Read one class name per line; None if there is no list."""
    if not table.exists():
        return None
    with open_text(table, root) as text:
        names = [
            line.strip()
            for line, _ in zip(read_lines(text, table), range(_LONGEST_LIST), strict=False)
        ]
    return [name for name in names if name] or None
