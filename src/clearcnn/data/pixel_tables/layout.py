"""How a table of pixels is laid out: its separator, its column names, and what each column is."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from clearcnn.data.classes import quote
from clearcnn.data.label_tables.delimited import find_delimiter, split_lines
from clearcnn.data.label_tables.split_cells import COLUMN_NAMES as SPLIT_COLUMNS
from clearcnn.data.tables import open_text, read_lines, table_suffix
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.specs import LARGEST_SIDE, DataSpec
from clearcnn.spelling import did_you_mean

LABEL_COLUMNS = ("label", "class", "target", "labels", "emotion", "digit", "category", "y")
INDEX_COLUMNS = frozenset(["", "index", "id", "idx", "unnamed: 0", "image_id", "imageid", "row"])
SUFFIXES = frozenset(
    [".csv", ".tsv", ".tab", ".txt", ".data", ".dat", ".tra", ".tes", ".train", ".test"]
)

_SAMPLE_LINES = 20
_FEWEST_PIXELS = 16
_MOST_COLUMNS = 3 * LARGEST_SIDE**2 + 20


@dataclass(frozen=True)
class Layout:
    """The layout of a table.

    Attributes:
      delimiter: between cells; " " stands for one or more blanks.
      names: of the columns; "column 1" and so on if the file has none.
      has_names: whether the first line has the names.
      words: what a column of words says, "label", "group" or "split" → its index.
      cell: the index of the column whose cells have all pixels of an image; None if none has.
      numbers: the indices of the columns of numbers: the pixels, and perhaps the label.
      ignored: the indices of the other columns.
    """

    delimiter: str
    names: tuple[str, ...]
    has_names: bool
    words: dict[str, int]
    cell: int | None
    numbers: tuple[int, ...]
    ignored: tuple[int, ...]


def is_pixel_table(path: Path) -> bool:
    """Whether the first lines of a file form a table with one image in each row."""
    if table_suffix(path) not in SUFFIXES:
        return False
    try:
        lines = _read_start(path, None)
        delimiter = find_delimiter(lines) if len(lines) > 1 else None
        if delimiter is None:
            return False
        last = list(split_lines(lines, delimiter))[-1]
    except (DataError, OSError, csv.Error):
        return False
    numbers = sum(map(is_number, last))
    return (numbers >= _FEWEST_PIXELS and 2 * numbers > len(last)) or any(map(_is_cell, last))


def find_layout(path: Path, root: Path | None, spec: DataSpec) -> Layout:
    """Find the layout from the first lines.

    Raises:
      DataError: the file has no rows, too many columns, or not the column that the spec names.
    """
    lines = _read_start(path, root)
    delimiter = find_delimiter(lines) or ","
    try:
        rows = [[cell.strip() for cell in row] for row in split_lines(lines, delimiter) if row]
    except csv.Error:
        raise DataError(
            say(
                "{path} is not a valid CSV file: a quotation mark is open, or inside a cell.",
                path=path,
            ),
            remedy=say("Save the file as CSV with commas."),
        ) from None
    first = rows[0] if rows else []
    if len(first) > _MOST_COLUMNS:
        raise DataError(
            say(
                "{path} has {num_columns:,} columns; at most {most_columns:,} are read, enough "
                "for a colour image of {largest_side}×{largest_side} pixels.",
                path=path,
                num_columns=len(first),
                most_columns=_MOST_COLUMNS,
                largest_side=LARGEST_SIDE,
            ),
            remedy=say("Resize the images."),
        )
    has_names = not all(map(is_number, first))
    body = rows[1:] if has_names else rows
    if not body:
        raise DataError(
            say("{path} has no rows.", path=path), remedy=say("Add a row for each image.")
        )
    names = (
        first
        if has_names
        else [say("column {number}", number=number) for number in range(1, len(first) + 1)]
    )
    words = _find_words(names, has_names, spec, path)
    cell = next((k for k in range(len(body[0])) if _is_cell(body[0][k])), None)
    others = [k for k in range(len(names)) if k not in words.values() and k != cell]
    ignored = [
        k
        for k in others
        if cell is not None
        or (has_names and names[k].lower() in INDEX_COLUMNS)
        or (len(body) > 1 and not any(is_number(row[k]) for row in body if k < len(row)))
    ]
    numbers = tuple(k for k in others if k not in ignored)
    return Layout(delimiter, tuple(names), has_names, words, cell, numbers, tuple(ignored))


def is_number(text: str) -> bool:
    """Whether NumPy reads a text as a number, unlike 1_000 and digits of other scripts."""
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and "_" not in text


def _find_words(
    names: Sequence[str], has_names: bool, spec: DataSpec, path: Path
) -> dict[str, int]:
    """Find the columns of the label, the group and the split by their names."""
    lower = [name.lower() for name in names]
    words: dict[str, int] = {}
    if spec.label_column is not None:
        words["label"] = _find_named(names, has_names, spec.label_column, path)
    elif has_names:
        label = next((name for name in LABEL_COLUMNS if name in lower), None)
        if label is not None:
            words["label"] = lower.index(label)
    if spec.group_column != "group":
        words["group"] = _find_named(names, has_names, spec.group_column, path)
    elif "group" in lower:
        words["group"] = lower.index("group")
    split = next((name for name in lower if name in SPLIT_COLUMNS), None)
    if split is not None:
        words["split"] = lower.index(split)
    return words


def _find_named(names: Sequence[str], has_names: bool, wanted: str, path: Path) -> int:
    if wanted in names:
        return list(names).index(wanted)
    lower = [name.lower() for name in names]
    if wanted.lower() in lower:
        return lower.index(wanted.lower())
    if not has_names and wanted.isascii() and wanted.isdigit() and 0 < int(wanted) <= len(names):
        return int(wanted) - 1
    raise DataError(
        say(
            "{path} has no column {wanted!r}; its columns are {names}.",
            path=path,
            wanted=wanted,
            names=quote(names, 5),
        ),
        remedy=f"{did_you_mean(wanted, names)}"
        + (
            say("Name one of these.")
            if has_names
            else say("Give a number from 1 to {num_names}.", num_names=len(names))
        ),
    )


def _is_cell(text: str) -> bool:
    """Whether a cell has all pixels of an image, separated by blanks."""
    parts = text.split(maxsplit=_FEWEST_PIXELS)
    return len(parts) > _FEWEST_PIXELS - 1 and all(map(is_number, parts[: _FEWEST_PIXELS - 1]))


def _read_start(path: Path, root: Path | None) -> list[str]:
    with open_text(path, root) as text:
        return [line for line in islice(read_lines(text, path), _SAMPLE_LINES) if line.strip()]
