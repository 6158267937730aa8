"""Labels that a source has as an array: text, whole numbers, or one-hot rows."""

import numpy as np

from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.types import Array

_LARGEST_LABEL = 2**53
"""Larger whole numbers are not exact in float64."""


def tidy_labels(labels: Array, place: str, num_images: int | None = None) -> Array:
    """Convert labels to one class per image.

    Args:
      labels: text or whole numbers in n values, whatever axes of length 1 there are; or one-hot
        rows, (n, num_classes).
      place: the array, for error messages.
      num_images: n, if it is known; then one-hot columns, (num_classes, n), are accepted too.
    Returns:
      (n,) of int64 or str. One-hot labels become the index of their column.
    Raises:
      DataError: they are something else, such as fractions, or several labels for one image.
    """
    shape = labels.shape
    if labels.ndim and labels.size == max(shape, default=0):
        labels = labels.reshape(-1)
    if labels.ndim == 2:
        if num_images is not None and shape[1] == num_images != shape[0]:
            labels = labels.T
        return _from_one_hot(labels, place)
    if labels.ndim != 1:
        raise DataError(
            say(
                "{place} has the shape {shape}; (n,), (n, 1) or one-hot rows (n, num_classes) "
                "were expected.",
                place=place,
                shape=shape,
            ),
            remedy=say("Store one class index or class name for each image."),
        )
    if labels.dtype.kind == "U":
        return np.asarray(np.char.strip(labels))
    if labels.dtype.kind == "S":
        return np.asarray(np.char.strip(np.char.decode(labels, "utf-8", "replace")))
    if _is_whole(labels):
        return labels.astype(np.int64)
    raise DataError(
        say(
            "{place} has the dtype {dtype} and values that are neither whole numbers nor text.",
            place=place,
            dtype=labels.dtype,
        ),
        remedy=say("Store class indices or class names."),
    )


def is_one_hot(rows: Array) -> bool:
    """Whether each row of (n, k) numbers, k >= 2, has a single 1 among zeros, or among -1."""
    if rows.ndim != 2 or rows.shape[1] < 2 or rows.dtype.kind not in "iufb" or not len(rows):
        return False
    marked = rows == 1
    rest = rows[~marked]
    return bool((marked.sum(axis=1) == 1).all() and (rest == rest.flat[0]).all()) and bool(
        rest.flat[0] in (0, -1)
    )


def _is_whole(values: Array) -> bool:
    if values.dtype.kind in "iub":
        return True
    return values.dtype.kind == "f" and bool(
        ((np.abs(values) < _LARGEST_LABEL) & (values == np.rint(values))).all()
    )


def _from_one_hot(rows: Array, place: str) -> Array:
    if is_one_hot(rows):
        return np.asarray((rows == 1).argmax(axis=1), np.int64)
    if rows.dtype.kind in "iufb" and rows.size and bool(((rows == 0) | (rows == 1)).all()):
        counts = (rows == 1).sum(axis=1)
        raise DataError(
            say(
                "{place} has several labels for one image: of its {num_rows:,} rows of "
                "{shape} labels, {num_several:,} have more than one label and {num_none:,} have "
                "none. A model of clearcnn gives each image exactly one class.",
                place=place,
                num_rows=len(rows),
                shape=rows.shape[1],
                num_several=int((counts > 1).sum()),
                num_none=int((counts == 0).sum()),
            ),
            remedy=say(
                "Ask one question at a time: store one column of the labels as y, for example "
                "y[:, 0], and train a model that answers it with 0 or 1. Or keep only the "
                "images with exactly one label."
            ),
        )
    raise DataError(
        say(
            "{place} has the shape {shape}, and its rows are not one-hot: a single 1 among "
            "zeros was expected.",
            place=place,
            shape=rows.shape,
        ),
        remedy=say("Store one class index or class name for each image."),
    )
