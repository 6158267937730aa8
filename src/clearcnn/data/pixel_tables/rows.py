"""The rows of a table of pixels: numbers as an array, other columns as text."""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcnn.data.classes import shorten
from clearcnn.data.label_tables.delimited import BLANKS, split_lines
from clearcnn.data.pixel_tables.layout import Layout, is_number
from clearcnn.data.tables import open_text, read_lines
from clearcnn.errors import DataError
from clearcnn.language import say

_LINES_AT_ONCE = 2000
_LETTERS_AT_ONCE = 4 * 2**20

Numbers = NDArray[np.float32]


def read_rows(
    path: Path, root: Path | None, layout: Layout
) -> tuple[Numbers, dict[str, list[str]]]:
    """Read the columns of numbers, or the cells of pixels, as (n, k) float32, and the words.

    Raises:
      DataError: a row has another number of cells or pixels, or a cell is empty or no number.
    """
    blocks: list[Numbers] = []
    texts: dict[str, list[str]] = {name: [] for name in layout.words}
    first = 1
    with open_text(path, root) as text:
        waiting = read_lines(text, path)
        if layout.has_names:
            while not next(waiting, "\n").strip():
                first += 1
            first += 1
        while lines := _take_lines(waiting):
            cells = _split(lines, layout)
            _check_cells(cells, layout, first, path)
            filled = [row for row in cells if row]
            for name, column in texts.items():
                column.extend(row[layout.words[name]].strip() for row in filled)
            if filled:
                blocks.append(_read_block(lines, cells, layout, first, path))
            first += len(lines)
    if not blocks:
        raise DataError(
            say("{path} has no rows.", path=path), remedy=say("Add a row for each image.")
        )
    widths = {block.shape[1] for block in blocks}
    if len(widths) > 1:
        raise _uneven(path, min(widths), max(widths))
    return np.concatenate(blocks), texts


def _take_lines(waiting: Iterator[str]) -> list[str]:
    """Take the next lines, as many as are parsed at once."""
    lines, letters = [], 0
    for line in islice(waiting, _LINES_AT_ONCE):
        lines.append(line)
        letters += len(line)
        if letters > _LETTERS_AT_ONCE:
            break
    return lines


def _split(lines: list[str], layout: Layout) -> list[list[str]]:
    if layout.delimiter == BLANKS:
        return list(split_lines(lines, BLANKS))
    return list(csv.reader(lines, delimiter=layout.delimiter))


def _check_cells(cells: list[list[str]], layout: Layout, first: int, path: Path) -> None:
    what = say("column names") if layout.has_names else say("in the first line")
    for line, row in enumerate(cells, first):
        if row and len(row) != len(layout.names):
            raise DataError(
                say(
                    "{path}, line {line}: {num_cells} cells, but {num_names} {what}.",
                    path=path,
                    line=line,
                    num_cells=len(row),
                    num_names=len(layout.names),
                    what=what,
                ),
                remedy=say("Write one cell for each column in every row."),
            )
        empty = [layout.names[k] for k in layout.words.values() if row and not row[k].strip()]
        if empty:
            raise DataError(
                say(
                    "{path}, line {line}: the {empty} is missing.",
                    path=path,
                    line=line,
                    empty=empty[0],
                ),
                remedy=say("Fill the cell, or remove the row."),
            )


def _read_block(
    lines: list[str], cells: list[list[str]], layout: Layout, first: int, path: Path
) -> Numbers:
    if layout.cell is not None:
        return _read_cells(cells, layout.cell, first, path)
    try:
        return np.loadtxt(
            lines,
            np.float32,
            comments=None,
            delimiter=None if layout.delimiter == BLANKS else layout.delimiter,
            usecols=layout.numbers,
            ndmin=2,
            quotechar='"',
        )
    except ValueError:
        for line, row in enumerate(cells, first):
            for k in layout.numbers if row else []:
                if not is_number(row[k]):
                    raise DataError(
                        say(
                            "{path}, line {line}: {row!r} in the column {names} is not a number.",
                            path=path,
                            line=line,
                            row=shorten(row[k]),
                            names=shorten(layout.names[k]),
                        ),
                        remedy=say("Correct the cell, or remove the row."),
                    ) from None
        raise DataError(
            say(
                "{path}, lines {first} to {last}: expected numbers separated by commas, "
                "semicolons, tabs or blanks.",
                path=path,
                first=first,
                last=first + len(lines) - 1,
            ),
            remedy=say(
                "Write plain numbers, without line breaks or quotation marks inside a cell."
            ),
        ) from None


def _read_cells(cells: list[list[str]], column: int, first: int, path: Path) -> Numbers:
    rows: list[Numbers] = []
    for line, row in enumerate(cells, first):
        if not row:
            continue
        parts = row[column].split()
        strange = next((part for part in parts if not is_number(part)), None)
        if strange is not None:
            raise DataError(
                say(
                    "{path}, line {line}: {cell!r} among the pixels is not a number.",
                    path=path,
                    line=line,
                    cell=shorten(strange),
                ),
                remedy=say("Correct the cell, or remove the row."),
            )
        rows.append(np.array(parts, np.float32))
        if len(rows[-1]) != len(rows[0]):
            raise _uneven(path, len(rows[0]), len(rows[-1]), line)
    return np.stack(rows)


def _uneven(path: Path, one: int, other: int, line: int | None = None) -> DataError:
    place = say("{path}, line {line}", path=path, line=line) if line else str(path)
    return DataError(
        say(
            "{place}: a cell has {num_pixels:,} pixels, and others have {other_pixels:,}.",
            place=place,
            num_pixels=other,
            other_pixels=one,
        ),
        remedy=say("Store images of one size."),
    )
