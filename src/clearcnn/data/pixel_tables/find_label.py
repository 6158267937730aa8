"""Where the label is among columns of numbers without names."""

import numpy as np

from clearcnn.data.array_labels import is_one_hot
from clearcnn.data.array_layout import find_row_shape
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.specs import DataSpec
from clearcnn.types import Array

_MOST_CLASSES = 1000
_MOST_ONE_HOT = 100
_CLEARLY_FEWER = 4


def split_label(
    rows: Array, spec: DataSpec, place: object
) -> tuple[Array | None, Array, str | None]:
    """Split rows of numbers into labels and pixels.

    The number of pixels must fit an image. The label is the first or the last column, of few whole
    numbers, if possible all of those from 0 or 1 on; or the last or first columns are one-hot. A
    first column that counts the rows is left out.

    Args:
      rows: (n, num_columns).
      spec: its size fits pixels that are not square.
      place: the file, for error messages.
    Returns:
      (labels, pixels, sentence): labels (n,) or one-hot (n, k), None if every column is a pixel.
    Raises:
      DataError: both ends may be labels, or no number of pixels fits.
    """
    count = rows.shape[1]
    if _fits(count - 2, spec) and _counts(rows[:, 0]):
        labels, pixels, said = split_label(rows[:, 1:], spec, place)
        return (
            labels,
            pixels,
            said and say("{sentence} The first column counts the rows.", sentence=said),
        )
    if _fits(count - 1, spec):
        ends = [end for end in (0, count - 1) if _is_label(rows[:, end])] or [
            end for end in (0, count - 1) if _is_perhaps_label(rows[:, end])
        ]
        if len(ends) == 2:
            first, last = (len(np.unique(rows[:, end])) for end in ends)
            ends = [ends[0]] * (first * _CLEARLY_FEWER <= last) + [ends[1]] * (
                last * _CLEARLY_FEWER <= first
            )
            if not ends:
                raise DataError(
                    say(
                        "{place}: the label may be the first or the last of its {count} columns.",
                        place=place,
                        count=count,
                    ),
                    remedy=say(
                        "Name its column: --label-column 1 or --label-column {count}", count=count
                    ),
                )
        if ends:
            which = say("first") if ends[0] == 0 else say("last")
            said = say(
                "The {position} of {count} columns read as the label, the others as pixels.",
                position=which,
                count=count,
            )
            return rows[:, ends[0]], np.delete(rows, ends[0], axis=1), said
    for width in range(2, min(_MOST_ONE_HOT, count) + 1):
        if not _fits(count - width, spec):
            continue
        for labels, pixels in (
            (rows[:, -width:], rows[:, :-width]),
            (rows[:, :width], rows[:, width:]),
        ):
            if is_one_hot(labels):
                return labels, pixels, say("{width} columns read as one-hot labels.", width=width)
    if _fits(count, spec):
        return None, rows, None
    if _fits(count - 1, spec) and _counts(rows[:, 0]):
        return None, rows[:, 1:], say("The first column counts the rows.")
    raise DataError(
        say(
            "{place}: no column is named label, class or target, and none of its {count} "
            "columns is clearly a label beside the pixels of a square image.",
            place=place,
            count=count,
        ),
        remedy=say(
            "Put the column names into the first line, and name the label column 'label'; or "
            "give its number (--label-column 1) and the height and width (--size 20x30)."
        ),
    )


def _fits(num_pixels: int, spec: DataSpec) -> bool:
    return num_pixels >= 4 and find_row_shape(num_pixels, spec)[0] is not None


def _counts(column: Array) -> bool:
    """Whether a column counts the rows, from any number on."""
    return len(column) > 2 and bool((np.diff(column) == 1).all())


def _is_label(column: Array) -> bool:
    """Whether a column has few whole numbers, all of those from 0 or 1 to the largest."""
    if not bool((column == np.rint(column)).all()) or column.min() not in (0, 1):
        return False
    values = np.unique(column)
    return 2 <= len(values) <= min(_MOST_CLASSES, len(column) // 2) and bool(
        len(values) == values[-1] - values[0] + 1
    )


def _is_perhaps_label(column: Array) -> bool:
    """Whether a column has very few whole numbers, some of which may be absent."""
    if not bool((column == np.rint(column)).all()) or column.min() < 0:
        return False
    return 2 <= len(np.unique(column)) <= min(_MOST_ONE_HOT, len(column) // 10)
