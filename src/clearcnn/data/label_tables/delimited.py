"""Text tables separated by commas, semicolons, tabs or blanks, with or without column names."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from clearcnn.data.tables import is_json_lines, open_text, read_lines, read_rows
from clearcnn.errors import DataError
from clearcnn.language import say

SUFFIXES = frozenset([".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson"])
BLANKS = " "

_DELIMITERS = ("\t", ";", ",", "|", BLANKS)
_TRIED_LINES = 20


@dataclass(frozen=True)
class Row:
    """A row of a table: its line number and its cells, without blanks around them."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class TextTable:
    """The rows of a table; the first has the column names, if there are any.

    Attributes:
      path: of the file.
      rows: all of the same number of cells, at least two.
      delimiter: between cells; `BLANKS` stands for one or more; None in JSON lines.
    """

    path: Path
    rows: list[Row]
    delimiter: str | None = None


def read_table(path: Path, root: Path | None, most_rows: int | None = None) -> TextTable | None:
    """Read a table.

    Args:
      path, root: as for `open_regular`.
      most_rows: the number of rows to stop after; None reads all.
    Returns:
      TextTable; None if the first lines do not form a table of two columns or more.
    Raises:
      DataError: the file cannot be read, is not UTF-8, or a later row has another number of cells.
    """
    rows: list[Row] = []
    delimiter: str | None = None
    if is_json_lines(path):
        found = _json_rows(path, root)
    else:
        with open_text(path, root) as text:
            start = [
                line for line, _ in zip(read_lines(text, path), range(_TRIED_LINES), strict=False)
            ]
        delimiter = find_delimiter(start)
        if delimiter is None:
            return None
        found = _text_rows(path, root, delimiter)
    for row in found:
        if rows and len(row.cells) != len(rows[0].cells):
            raise DataError(
                say(
                    "{path}, line {line}: {num_cells} cells, but {other_cells} in line "
                    "{other_line}.",
                    path=path,
                    line=row.line,
                    num_cells=len(row.cells),
                    other_cells=len(rows[0].cells),
                    other_line=rows[0].line,
                ),
                remedy=say(
                    "Write one cell for each column in every row; put cells that contain the "
                    "separator in double quotes."
                ),
            )
        rows.append(row)
        if most_rows is not None and len(rows) >= most_rows:
            break
    return TextTable(path, rows, delimiter) if rows and len(rows[0].cells) > 1 else None


def find_delimiter(lines: Iterable[str]) -> str | None:
    """Find the separator that cuts every line into the same number of cells, two or more."""
    filled = [line for line in lines if line.strip()]
    for delimiter in _DELIMITERS if filled else ():
        try:
            counts = {len(cells) for cells in split_lines(filled, delimiter)}
        except csv.Error:
            continue
        if len(counts) == 1 and counts.pop() > 1:
            return delimiter
    return None


def split_lines(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Split lines into cells; several blanks count as one."""
    if delimiter == BLANKS:
        return (line.split() for line in lines)
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _text_rows(path: Path, root: Path | None, delimiter: str) -> Iterator[Row]:
    with open_text(path, root) as text:
        lines = read_lines(text, path)
        if delimiter == BLANKS:
            numbered: Iterable[tuple[int, list[str]]] = enumerate(split_lines(lines, delimiter), 1)
        else:
            reader = csv.reader(lines, delimiter=delimiter, strict=True)
            numbered = ((reader.line_num, cells) for cells in reader)
        for line, cells in numbered:
            if cells:
                yield Row(line, tuple(cell.strip() for cell in cells))


def _json_rows(path: Path, root: Path | None) -> Iterator[Row]:
    names: tuple[str, ...] = ()
    for line, row in read_rows(path, root):
        if not names:
            names = tuple(row)
            yield Row(line, names)
        elif tuple(row) != names and set(row) != set(names):
            raise DataError(
                say(
                    "{path}, line {line}: the object has other keys than the first one.",
                    path=path,
                    line=line,
                ),
                remedy=say("Give every object the same keys."),
            )
        yield Row(line, tuple(row[name].strip() for name in names))
