"""Numeric arrays in files of NumPy, MATLAB and HDF5: all in one file, or one in each file.

In a file, the names of the arrays say what is what: `X_train`, `test_labels`, `gnd`. In a folder,
the names of the files do: `X.npy` and `Y.npy`, `kmnist-train-imgs.npz`, `…_test_y.h5`. A folder of
`.npy` files whose names say neither has one class in each.
"""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from clearcnn.data.array_files import is_array_file, read_arrays
from clearcnn.data.array_names import ArrayName, parse_array_name
from clearcnn.data.array_parts import ArrayPart, build_from_parts
from clearcnn.data.arrays import whole_numbers
from clearcnn.data.choices import choose_set, split_choice
from clearcnn.data.class_maps import read_class_map
from clearcnn.data.classes import quote, shorten
from clearcnn.data.column_options import reject_columns
from clearcnn.data.forms.class_arrays import read_class_arrays
from clearcnn.data.image_search import has_images
from clearcnn.data.known_arrays import (
    StoredArray,
    explain_missing,
    is_emnist,
    is_matlab,
    is_svhn,
    leave_out_extra,
    name_unnamed_images,
    read_class_names,
    split_by_set,
)
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.natural_sort import natural_key
from clearcnn.data.safe_files import is_hidden
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.specs import DataSpec

COLUMNS = "columns"
"""After a #: rows of pixels list the columns of the image, which some MATLAB files do."""

_REMEDY = say("Store x_train, y_train, x_test and y_test; or x, y and optionally groups.")


def recognise(path: Path) -> bool:
    """Whether a file is one of arrays, or a folder has some and no images."""
    if not path.is_dir():
        return is_array_file(path)
    return bool(_find_files(path)) and not has_images(path)


def read(path: Path, spec: DataSpec) -> LabelledImages:
    """Read the arrays of a file, or of the files in a folder.

    Raises:
      DataError: images or labels are missing, they do not match, or a file cannot be read.
    """
    reject_columns(spec, path, "image_column", "group_column")
    root = path if path.is_dir() else None
    files = [path] if root is None else _find_files(path)
    if not files:
        raise DataError(say("{path} contains no files of arrays.", path=path), remedy=_REMEDY)
    seen: list[str] = []
    stored = [each for file in files for each in _read_file(file, root, seen)]
    if root is None and len(stored) == 1 and not _is_complete(stored):
        # One array alone: its partner lies beside it.
        root, only = path.parent, parse_array_name(path.stem)
        files = [file for file in _find_files(root) if _belong(parse_array_name(file.stem), only)]
        stored = [each for file in files for each in _read_file(file, root, seen)]
    if root is not None and len(stored) > 1 and not any(each.name.role for each in stored):
        named = {each.file.stem: each.array for each in stored}
        reject_columns(spec, path, "label_column")
        return read_class_arrays(named, spec, path)
    sets, left_out = leave_out_extra(
        _by_set(name_unnamed_images(split_by_set(stored))), split_choice(spec.source)[1]
    )
    name = next(iter(sets), "")
    if len(sets) > 1:
        name = choose_set(sets, spec.source, "arrays", path)
    chosen = sets.get(name, [])
    parts = _pair(chosen, path, seen, spec)
    names = read_class_map(root, name, is_only=len(sets) == 1) if root is not None else None
    source = (
        say("NumPy archive {path}", path=path)
        if path.suffix.lower() == ".npz"
        else say("arrays in {path}", path=path)
    )
    return build_from_parts(
        parts,
        spec,
        source=source,
        place=path,
        class_names=names or read_class_names(chosen),
        digit_ten=is_svhn(chosen),
        preparation=left_out or _describe_unused(files, chosen, root),
    )


def _find_files(folder: Path) -> list[Path]:
    found = [
        path
        for path in folder.iterdir()
        if is_array_file(path) and not is_hidden(path.name) and not path.is_dir()
    ]
    return sorted(found, key=lambda path: natural_key(path.name))


def _read_file(file: Path, root: Path | None, seen: list[str]) -> list[StoredArray]:
    """Read the arrays of a file that its own name or theirs say something of.

    All names in the file are appended to `seen`, for messages.
    """
    said = parse_array_name(file.stem)

    def choose(keys: Sequence[str]) -> Sequence[str]:
        seen.extend(keys)
        known = [key for key in keys if _is_known(_parse_key(key))]
        return known or (keys if len(keys) == 1 else [])

    arrays = read_arrays(file, choose, root)
    keys = {key: _parse_key(key) for key in arrays}
    stored = []
    for key, array in arrays.items():
        own = keys[key]
        role = own.role
        if len(arrays) == 1 and said.role is not None:
            role = said.role  # A file of labels may well call its only array "data".
        name = ArrayName(role, own.split or said.split, said.rest)
        stored.append(
            StoredArray(name, key, file, whole_numbers(array) if is_matlab(file) else array)
        )
    return stored


def _parse_key(key: str) -> ArrayName:
    """Read a key; the name of a struct of MATLAB's counts only where it says something."""
    name, inner = parse_array_name(key), parse_array_name(key.rpartition(".")[2])
    return ArrayName(inner.role, name.split, inner.rest) if "." in key and name.rest else name


def _belong(one: ArrayName, other: ArrayName) -> bool:
    """Whether two files are the images and the labels of one split."""
    return (one.rest, one.split) == (other.rest, other.split)


def _is_known(name: ArrayName) -> bool:
    return name.role is not None and not set(name.rest) - {"fine", "coarse"}


def _is_complete(stored: Sequence[StoredArray]) -> bool:
    return {"images", "labels"} <= {each.name.role for each in stored}


def _by_set(stored: Sequence[StoredArray]) -> dict[str, list[StoredArray]]:
    """Group arrays by the words that the names of their files have in common, numbers apart."""
    sets: dict[str, list[StoredArray]] = defaultdict(list)
    for each in stored:
        sets["-".join(word for word in each.name.rest if not word.isdigit())].append(each)
    complete = {name: found for name, found in sets.items() if _is_complete(found)}
    return complete or dict(sets)


def _pair(
    stored: Sequence[StoredArray], path: Path, keys: Sequence[str], spec: DataSpec
) -> list[ArrayPart]:
    """Pair images and labels: those of one file first, then those of one split."""
    by_place: dict[tuple[object, ...], dict[str, list[StoredArray]]] = defaultdict(
        lambda: defaultdict(list)
    )
    files = defaultdict(list)
    for each in stored:
        files[each.file].append(each)
    for each in stored:
        is_whole = _is_complete(files[each.file])
        place = (each.name.split, each.file if is_whole else None)
        if each.name.role in ("images", "labels", "groups"):
            by_place[place][each.name.role].append(each)
    parts = []
    for (split, _), roles in by_place.items():
        images, labels = (
            roles.get("images", []),
            _choose_labels(roles.get("labels", []), spec, path),
        )
        if len(images) != 1 or len(labels) != 1:
            raise _mismatch(path, split, images, labels, keys)
        groups = roles.get("groups")
        parts.append(
            ArrayPart(
                split=split if isinstance(split, str) else None,
                images=images[0].array,
                labels=labels[0].array,
                images_name=_name(images[0], path),
                labels_name=_name(labels[0], path),
                groups=groups[0].array if groups else None,
                by_columns=split_choice(spec.source)[1] == COLUMNS or is_emnist(images),
            )
        )
    splits = [part.split for part in parts]
    if not parts or (None in splits and len(set(splits)) > 1):
        raise DataError(
            say(
                "{path}: the keys do not identify one data set; {keys}.",
                path=path,
                keys=_list_keys(path, keys),
            ),
            remedy=explain_missing(path) or _REMEDY,
        )
    return parts


def _choose_labels(labels: list[StoredArray], spec: DataSpec, path: Path) -> list[StoredArray]:
    if len(labels) < 2 and spec.label_column is None:
        return labels
    chosen = [each for each in labels if spec.label_column in (each.key, each.file.stem)]
    if not chosen and labels:
        fault = (
            say("several arrays")
            if spec.label_column is None
            else say("no array {label_column!r}", label_column=spec.label_column)
        )
        raise DataError(
            say(
                "{path} has {arrays} of labels: {names}.",
                path=path,
                arrays=fault,
                names=quote(each.key for each in labels),
            ),
            remedy=say("Choose one: --label-column {key}", key=labels[0].key),
        )
    return chosen


def _mismatch(
    path: Path,
    split: object,
    images: Sequence[StoredArray],
    labels: Sequence[StoredArray],
    keys: Sequence[str],
) -> DataError:
    of_split = say(" of the {split} set", split=split) if split else ""
    if images and labels:
        fault = say(
            "several arrays of images{of_split}, {names}",
            of_split=of_split,
            names=quote(each.key for each in images),
        )
    else:
        missing = say("labels") if images else say("images")
        fault = say("the {missing}{of_split} are missing", missing=missing, of_split=of_split)
    return DataError(
        say("{path}: {fault}; {keys}.", path=path, fault=fault, keys=_list_keys(path, keys)),
        remedy=_REMEDY,
    )


def _list_keys(path: Path, keys: Sequence[str]) -> str:
    listed = say(
        "the keys are {keys}", keys=", ".join(shorten(key) for key in keys[:40]) or say("none")
    )
    return (
        say("{listed}; cells and arrays of structs are not read", listed=listed)
        if is_matlab(path)
        else listed
    )


def _name(stored: StoredArray, path: Path) -> str:
    return stored.key if stored.file == path else stored.file.name


def _describe_unused(
    files: Sequence[Path], chosen: Sequence[StoredArray], root: Path | None
) -> tuple[str, ...]:
    used = {each.file for each in chosen}
    unused = [file.name for file in files if file not in used] if root is not None else []
    return (
        (
            say(
                "Files left out, since they belong to no labelled set: {unused}.",
                unused=quote(unused),
            ),
        )
        if unused
        else ()
    )
