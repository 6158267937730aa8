"""What the names of arrays do not say: facts of well-known sets and of MatConvNet's files.

SVHN: label 10 is the digit 0, and `extra_32x32.mat` is a second, easier training set. EMNIST in
MATLAB's form: rows list the columns of an image, and `mapping` has the codes of the characters.
MatConvNet's `imdb.mat`: `images.set` is 1, 2 or 3 for training, validation and test. Olivetti: no
labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from clearcnn.data.array_names import ArrayName
from clearcnn.language import say
from clearcnn.types import Array

_SETS = {1: "train", 2: "validation", 3: "test"}


@dataclass(frozen=True, eq=False)
class StoredArray:
    """One array: what its name and its file's name say, and where it was."""

    name: ArrayName
    key: str
    file: Path
    array: Array


def is_matlab(file: Path) -> bool:
    """Whether a file is MATLAB's."""
    return file.suffix.lower() == ".mat"


def is_svhn(stored: Sequence[StoredArray]) -> bool:
    """Whether the labels are SVHN's, where 10 stands for the digit 0."""
    return all("32x32" in each.file.name and is_matlab(each.file) for each in stored) and any(
        each.array.shape[:3] == (32, 32, 3) for each in stored
    )


def is_emnist(stored: Sequence[StoredArray]) -> bool:
    """Whether the images are EMNIST's in MATLAB's form, and lie on their sides."""
    return any("emnist" in each.file.name.lower() and is_matlab(each.file) for each in stored)


def leave_out_extra(
    sets: dict[str, list[StoredArray]], choice: str | None
) -> tuple[dict[str, list[StoredArray]], tuple[str, ...]]:
    """Leave out SVHN's extra images unless they are chosen; return the other sets, and say so."""
    if choice is None and len(sets) == 2 and "extra" in sets and is_svhn(sets["extra"]):
        said = say(
            "Left out: the extra training images of SVHN; to read them alone, end with #extra."
        )
        return {name: stored for name, stored in sets.items() if name != "extra"}, (said,)
    return sets, ()


def split_by_set(stored: Sequence[StoredArray]) -> list[StoredArray]:
    """Split the images and labels of an `imdb.mat` by its `images.set`; others stay as they are."""
    marks = next((each for each in stored if each.key.rpartition(".")[2] == "set"), None)
    if marks is None:
        return list(stored)
    numbers = marks.array.reshape(-1)
    rest = [each for each in stored if each is not marks]
    if not {*numbers.tolist()} <= {*_SETS}:
        return rest
    found = [each for each in rest if each.name.role == "names"]
    for number, split in _SETS.items():
        rows = np.flatnonzero(numbers == number)
        for each in rest if len(rows) else ():
            axes = [axis for axis in (-1, 0) if each.array.shape[axis] == len(numbers)]
            if each.name.role != "names" and axes:
                part = np.take(np.moveaxis(each.array, axes[0], 0), rows, axis=0)
                name = replace(each.name, split=split)
                found.append(replace(each, name=name, array=part))
    return found


def name_unnamed_images(stored: Sequence[StoredArray]) -> list[StoredArray]:
    """Take arrays whose names say nothing for the images of labels, if no array is named so."""
    roles = {each.name.role for each in stored}
    if "labels" not in roles or "images" in roles:
        return list(stored)
    return [
        replace(each, name=replace(each.name, role=each.name.role or "images")) for each in stored
    ]


def read_class_names(stored: Sequence[StoredArray]) -> list[str] | None:
    """The class names that a file stores, in the order of its labels: texts, or EMNIST's codes."""
    for each in stored:
        if each.name.role != "names":
            continue
        if each.array.dtype.kind in "US" and each.array.ndim == 1:
            return [
                text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
                for text in each.array.tolist()
            ]
        if is_emnist([each]) and each.array.ndim == 2 and each.array.shape[1] in (2, 3):
            rows = each.array.astype(np.int64).tolist()
            if [row[0] for row in rows] in ([*range(len(rows))], [*range(1, len(rows) + 1)]):
                return ["".join(chr(code) for code in row[1:] if 32 < code < 128) for row in rows]
    return None


def explain_missing(path: Path) -> str:
    """What to do about a set that is known to have no labels; "" for others."""
    if "olivetti" in path.name.lower():
        return say(
            "This set has no labels: its 400 columns are ten images of each of forty "
            "people, in order. Store images of (400, 64, 64) as x and "
            "numpy.repeat(range(40), 10) as y."
        )
    return ""
