"""From columns of pixels to images: by the places in the columns' names, or in their order."""

import math
import re
from collections.abc import Sequence

import numpy as np

from clearcnn.data.array_layout import arrange_rows, find_row_shape
from clearcnn.data.classes import shorten
from clearcnn.data.labelled_images import Images
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.specs import DataSpec
from clearcnn.types import Array

_PLACE = re.compile(r"(?<!\d)(\d{1,4})\D(\d{1,4})(?:\D(\d{1,4}))?$")  # pixel_3_4, 3x4, p_3_4_0


def arrange_columns(
    pixels: Array, names: Sequence[str], spec: DataSpec, place: str
) -> tuple[Images, tuple[str, ...]]:
    """Arrange rows of pixels as images.

    Args:
      pixels: (n, num_columns).
      names: of the columns, such as pixel_3_4 (row, column, optionally channel); () if they have
        none.
      spec: its size fits pixels that are not square.
      place: of the table, for error messages.
    Returns:
      (images, sentences): (n, height, width) or (n, height, width, 3), and how they were read.
    Raises:
      DataError: the pixels fit no shape.
    """
    if has_places(names):
        order, shape = _read_places(names, place)
        return pixels[:, order].reshape(-1, *shape), ()
    count = pixels.shape[1]
    if find_row_shape(count, spec)[0] is None:
        raise DataError(
            say(
                "{place}: {count} pixel columns do not make a square image, in grey or in colour.",
                place=place,
                count=count,
            ),
            remedy=say(
                "Give the height and width (--size 20x30), or name columns pixel_0_0 and so on."
            ),
        )
    images, said = arrange_rows(pixels, spec, place)
    return images, said if images.ndim == 4 else ()


def has_places(names: Sequence[str]) -> bool:
    """Whether every column has a place in its name."""
    return bool(names) and all(_PLACE.search(name) for name in names)


def _read_places(names: Sequence[str], place: str) -> tuple[list[int], tuple[int, ...]]:
    """Find the order of pixel columns with positions, and the shape (height, width[, channels])."""
    matches = [match for name in names if (match := _PLACE.search(name))]
    places = np.array([[int(digits or 0) for digits in match.groups()] for match in matches])
    places -= places.min(axis=0)
    shape = tuple(int(side) for side in places.max(axis=0) + 1)
    if math.prod(shape) != len(names) or len(np.unique(places, axis=0)) != len(names):
        raise DataError(
            say(
                "{place}: the names of the {num_names} pixel columns, {first} to {last}, "
                "do not cover an image of {height}×{width} exactly once.",
                place=place,
                num_names=len(names),
                first=shorten(names[0]),
                last=shorten(names[-1]),
                height=shape[0],
                width=shape[1],
            ),
            remedy=say(
                "Name one column for each pixel, such as pixel_0_0, or use names without positions."
            ),
        )
    return np.lexsort(places.T[::-1]).tolist(), shape
