"""DataFrames with one image in each row and a column for each pixel: a CSV of pixels, read."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from clearcnn.data.array_layout import find_row_shape
from clearcnn.data.arrays import whole_numbers
from clearcnn.data.label_tables.columns import LABEL_NAMES
from clearcnn.data.pixel_tables.layout import INDEX_COLUMNS
from clearcnn.data.pixel_tables.places import arrange_columns, has_places
from clearcnn.data.python_objects.samples import Samples
from clearcnn.language import say
from clearcnn.specs import DataSpec

_FEWEST_PIXELS = 16


def read_pixel_columns(
    frame: Any, names: Sequence[object], kind: str, spec: DataSpec
) -> Samples | None:
    """Read the images of a frame whose columns are a label and pixels.

    Args:
      frame: has columns by name; a list of names gives a frame that `to_numpy` converts.
      names: of its columns.
      kind: a description of the frame.
      spec: may name the columns.
    Returns:
      Samples; None if there is no label, or if another column than pixels is left.
    """
    label = [
        name
        for name in names
        if (str(name) == spec.label_column if spec.label_column else _is_label(name))
    ]
    others = {*label, "group", "split", spec.group_column}
    pixels = [name for name in names if name not in others and not _is_index(name)]
    if spec.image_column or len(label) != 1 or len(pixels) < _FEWEST_PIXELS:
        return None
    rows = np.asarray(frame[pixels].to_numpy())
    texts = list(map(str, pixels))
    if rows.dtype.kind not in "iufb" or not (
        has_places(texts) or find_row_shape(len(pixels), spec)[0]
    ):
        return None
    images, said = arrange_columns(whole_numbers(rows), texts, spec, say("a {kind}", kind=kind))
    columns = {name: frame[name].to_numpy().tolist() for name in names if name in others}
    return Samples(
        say("a {kind}", kind=kind),
        images,
        columns[label[0]],
        groups=columns.get(spec.group_column),
        splits=columns.get("split"),
        notes=(
            say("{num_pixels:,} columns of numbers read as pixels.", num_pixels=len(pixels)),
            *said,
        ),
    )


def _is_label(name: object) -> bool:
    return "".join(filter(str.isalnum, str(name).casefold())) in LABEL_NAMES


def _is_index(name: object) -> bool:
    return str(name).casefold() in INDEX_COLUMNS
