"""Recognition of Python objects as samples, by what they can do."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from clearcnn.data.classes import quote
from clearcnn.data.label_tables.columns import LABEL_NAMES
from clearcnn.data.label_tables.split_cells import find_split_word
from clearcnn.data.python_objects.pixel_columns import read_pixel_columns
from clearcnn.data.python_objects.samples import Indexed, Samples
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.specs import DataSpec
from clearcnn.spelling import did_you_mean

IMAGE_NAMES = ("image", "img", "images", "path", "file", "file_name", "filename", "file_path")
_REMEDY = say(
    "Give a path, a Dataset of Hugging Face or PyTorch, a DataFrame, a list of (image, "
    "label), or a tuple (images, labels)."
)


def read_samples(source: object, spec: DataSpec) -> Samples:
    """Read the images and labels of an object.

    Raises:
      DataError: it is of none of the known kinds, or its columns are unclear.
    """
    if isinstance(source, Mapping):
        return _join_splits(source, spec)
    module = type(source).__module__.partition(".")[0]
    kind = f"{'' if module == 'builtins' else f'{module} '}{type(source).__name__}"
    if not isinstance(source, Indexed) or hasattr(source, "batch_sampler"):
        why, remedy = _why(source)
        raise DataError(
            say("Images cannot be read from a {kind}: {why}.", kind=kind, why=why), remedy=remedy
        )
    if hasattr(source, "column_names") and hasattr(source, "features"):
        columns = _as_columns(source, list(source.column_names))
        return _from_columns(columns, kind, spec, source.features)
    if hasattr(source, "columns") and hasattr(source, "shape"):
        names = list(source.columns)
        _reject_doubled(names, kind)
        return read_pixel_columns(source, names, kind, spec) or _from_columns(
            _as_columns(source, names), kind, spec, {}
        )
    if isinstance(source, tuple) and len(source) == 2 and _is_pair(*source):
        return _from_pair(*source)
    if isinstance(source, (str, bytes, np.ndarray)):
        why, remedy = _why(source)
        raise DataError(
            say("Images cannot be read from a {kind}: {why}.", kind=kind, why=why), remedy=remedy
        )
    return _from_items(source, kind)


def _why(source: object) -> tuple[str, str]:
    """Say why an object cannot be read, and what to do."""
    if isinstance(source, np.ndarray):
        return say("it has no labels"), _REMEDY
    if hasattr(source, "batch_sampler"):
        return say("it gives batches in any order"), say(
            "Give the data set that it loads: loader.dataset."
        )
    if hasattr(source, "__iter__") and not isinstance(source, (str, bytes)):
        return say("it can be iterated over, but has no length"), _REMEDY
    return say("unknown kind"), _REMEDY


def _reject_doubled(names: Sequence[object], kind: str) -> None:
    twice = [name for name, count in Counter(map(str, names)).items() if count > 1]
    if twice:
        raise DataError(
            say("A {kind} has several columns named {name}.", kind=kind, name=quote(twice)),
            remedy=say("Give each column a name of its own."),
        )


def _from_pair(images: Any, labels: object) -> Samples:
    if hasattr(images, "columns"):  # A DataFrame of pixels, as scikit-learn's fetch_openml gives.
        images = images.to_numpy()
    elif getattr(images, "ndim", None) == 1:
        images = _to_list(images)
    return Samples(say("a pair (images, labels)"), images, _to_list(labels))


def _join_splits(source: "Mapping[Any, Any]", spec: DataSpec) -> Samples:
    """Join the parts of a DatasetDict, or of any mapping with splits as keys."""
    splits = {key: find_split_word(str(key)) for key in source}
    if "train" not in splits.values():
        raise DataError(
            say(
                "Images cannot be read from a mapping with the keys {keys}: none of them is a "
                "training split.",
                keys=quote(map(str, source)),
            ),
            remedy=say("Use the keys train, validation and test, or give one of the values."),
        )
    parts = [(split, read_samples(source[key], spec)) for key, split in splits.items() if split]
    images = [image for _, part in parts for image in part.images]
    labels = [label for _, part in parts for label in part.labels]
    groups = [group for _, part in parts for group in part.groups or [None] * len(part)]
    known = {part.class_names for _, part in parts}
    if len(known) > 1:
        raise DataError(
            say("The splits have different class names."), remedy=say("Give one data set.")
        )
    return Samples(
        say("splits {names}, each {kind}", names=quote(map(str, splits)), kind=parts[0][1].kind),
        images,
        labels,
        known.pop(),
        groups if any(group is not None for group in groups) else None,
        [split for split, part in parts for _ in range(len(part))],
        tuple(dict.fromkeys(note for _, part in parts for note in part.notes)),
    )


def _as_columns(source: Any, names: Sequence[object]) -> dict[str, Callable[[], list[object]]]:
    """Return name → a function that gets the column's values."""
    return {str(name): partial(_column, source, name) for name in names}


def _column(source: Any, name: object) -> list[object]:
    return _to_list(source[name])


def _from_columns(
    columns: Mapping[str, Callable[[], list[object]]],
    kind: str,
    spec: DataSpec,
    features: Mapping[str, Any],
) -> Samples:
    image = _choose(
        columns, spec.image_column, lambda name: name.casefold() in IMAGE_NAMES, "image", kind
    )
    label = _choose(
        {name: get for name, get in columns.items() if name != image},
        spec.label_column,
        lambda name: "".join(filter(str.isalnum, name.casefold())) in LABEL_NAMES,
        "label",
        kind,
    )
    group = spec.group_column if spec.group_column in columns else None
    if group is None and spec.group_column != "group":
        raise DataError(
            say(
                "A {kind} has no column {group_column!r}; its columns are {columns}.",
                kind=kind,
                group_column=spec.group_column,
                columns=quote(columns, 20),
            ),
            remedy=say("Name the column with the groups."),
        )
    splits = columns["split"]() if "split" in columns else None
    names = getattr(features.get(label), "names", None) if features else None
    return Samples(
        say("a {kind}", kind=kind),
        columns[image](),
        columns[label](),
        tuple(map(str, names)) if names else None,
        columns[group]() if group else None,
        None if splits is None else [find_split_word(str(split)) or split for split in splits],
    )


def _choose(
    columns: Mapping[str, object],
    asked: str | None,
    is_usual: Callable[[str], bool],
    role: str,
    kind: str,
) -> str:
    if asked is not None and asked not in columns:
        raise DataError(
            say(
                "A {kind} has no column {asked!r}; its columns are {columns}.",
                kind=kind,
                asked=asked,
                columns=quote(columns, 20),
            ),
            remedy=say(
                "{suggestion}Name one of them as {role}_column.",
                suggestion=did_you_mean(asked, columns),
                role=role,
            ),
        )
    usual = [name for name in columns if is_usual(name)]
    others = [name for name in columns if name not in ("group", "split")]
    found = [asked] if asked else usual or (others if len(others) == 1 else [])
    if len(found) == 1:
        return found[0]
    raise DataError(
        say(
            "It is unclear which column of a {kind} has the {role}s: the columns are {columns}.",
            kind=kind,
            role=role,
            columns=quote(columns, 20),
        ),
        remedy=say("Name it: clearcnn.load(…, {role}_column=…).", role=role),
    )


def _is_pair(images: object, labels: object) -> bool:
    """Whether two objects are the images and the labels, rather than two samples."""
    if not (isinstance(images, Indexed) and isinstance(labels, Indexed)):
        return False
    is_sample = isinstance(images, (tuple, list)) and len(images) == 2 and _is_label(images[1])
    return not is_sample and len(images) == len(labels)


def _is_label(value: object) -> bool:
    return isinstance(value, (int, str, np.integer))


def _from_items(source: Indexed, kind: str) -> Samples:
    """Read every item of a data set: (image, label), or a dict with both."""
    items = [source[row] for row in range(len(source))]
    if items and all(isinstance(item, Mapping) for item in items):
        columns = {name: partial(_cells, items, name) for name in items[0]}
        return _from_columns(columns, kind, DataSpec(), {})
    wrong = next((row for row, item in enumerate(items) if not _is_item(item)), None)
    if not items or wrong is not None:
        fault = (
            say("it is empty")
            if wrong is None
            else say("item {wrong} is a {name}", wrong=wrong, name=type(items[wrong]).__name__)
        )
        raise DataError(
            say(
                "Images cannot be read from a {kind}: {fault}; expected pairs (image, label).",
                kind=kind,
                fault=fault,
            ),
            remedy=_REMEDY,
        )
    # A part of a data set of PyTorch has the whole as `dataset`.
    names = getattr(source, "classes", None) or getattr(
        getattr(source, "dataset", None), "classes", None
    )
    labels = [item[1] for item in items]
    are_indices = all(isinstance(label, (int, np.integer)) for label in labels)
    return Samples(
        say("a {kind} of (image, label)", kind=kind),
        [item[0] for item in items],
        labels,
        tuple(map(str, names)) if names and are_indices else None,
    )


def _cells(items: "Sequence[Mapping[str, object]]", name: str) -> list[object]:
    return [item[name] for item in items]


def _is_item(item: object) -> bool:
    return isinstance(item, (tuple, list)) and len(item) == 2


def _to_list(values: Any) -> list[object]:
    """Convert a column, an array, a tensor or a sequence to a list."""
    for name in ("tolist", "to_list", "to_pylist"):
        if hasattr(values, name):
            listed = getattr(values, name)()
            return listed if isinstance(listed, list) else [listed]
    return [values[row] for row in range(len(values))]
