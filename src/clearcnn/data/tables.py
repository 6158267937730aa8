"""Tables of text, CSV and JSON lines, read row by row with their line numbers."""

import csv
import io
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from clearcnn.bounded_json import parse_json
from clearcnn.data.classes import shorten
from clearcnn.data.safe_files import open_regular
from clearcnn.errors import DataError
from clearcnn.spelling import did_you_mean

Row = dict[str, str]

LONGEST_LINE = 4 * 2**20
"""In letters: four times what an image of 96×96 pixels in colour takes with all its digits."""


@contextmanager
def open_text(path: Path, root: Path | None = None) -> Iterator[TextIO]:
    """Open a text file in UTF-8, with or without a byte order mark.

    Args:
      path, root: as for `open_regular`.
    Raises:
      DataError: on entering, as `open_regular`; while reading, it is not UTF-8 or not CSV.
    """
    try:
        with io.TextIOWrapper(open_regular(path, root), encoding="utf-8-sig", newline="") as text:
            yield text
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path} is not text in UTF-8: byte {error.object[error.start]:#04x} after "
            f"{error.start:,} others of its block.",
            remedy="Save it as UTF-8; in a spreadsheet, as CSV UTF-8.",
        ) from None
    except csv.Error:
        raise DataError(
            f"{path} is not a CSV file: a field is too long, or has a line break outside quotes.",
            remedy="Save it as CSV with commas.",
        ) from None


def read_header(path: Path) -> list[str]:
    """The column names of a CSV file, without spaces around them."""
    with open_text(path) as text:
        return [name.strip() for name in next(csv.reader(read_lines(text, path)), [])]


def read_lines(text: TextIO, path: Path) -> Iterator[str]:
    """The lines of a text with their ends, none of them endless.

    Raises:
      DataError: a line is longer than `LONGEST_LINE`.
    """
    for number in itertools.count(1):
        line = text.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise DataError(
                f"{path}, line {number}: more than {LONGEST_LINE:,} letters without a line break.",
                remedy="Write one row a line.",
            )
        if not line:
            return
        yield line


def read_rows(path: Path, root: Path | None = None) -> Iterator[tuple[int, Row]]:
    """(line number, column → text) of each row of a CSV or JSON lines file.

    Empty lines are passed over; JSON's null and missing cells become "".

    Args:
      path, root: as for `open_regular`.
    Raises:
      DataError: a row has more or fewer cells than the header, or a line is not a JSON object.
    """
    with open_text(path, root) as text:
        yield from _json_rows(text, path) if is_json_lines(path) else _csv_rows(text, path)


def is_json_lines(path: Path) -> bool:
    """Whether a file's name says that it holds one JSON object a line."""
    return path.suffix.lower() in (".jsonl", ".ndjson")


def require_columns(path: Path, found: list[str], *wanted: str) -> None:
    """Raise a DataError that names the columns a table lacks and those it has."""
    for name in wanted:
        if name not in found:
            listed = ", ".join(map(shorten, found[:20]))
            raise DataError(
                f"{path} has no column {name!r}; its columns are {listed}.",
                remedy=f"{did_you_mean(name, found)}Name the column {name!r}.",
            )


def _csv_rows(text: TextIO, path: Path) -> Iterator[tuple[int, Row]]:
    reader = csv.reader(read_lines(text, path), strict=True)
    header = [name.strip() for name in next(reader, [])]
    for cells in reader:
        if not cells:
            continue
        if len(cells) != len(header):
            raise DataError(
                f"{path}, line {reader.line_num}: {len(cells)} cells under {len(header)} column "
                "names.",
                remedy="Put cells that hold commas in double quotes.",
            )
        yield reader.line_num, dict(zip(header, map(str.strip, cells), strict=True))


def _json_rows(text: TextIO, path: Path) -> Iterator[tuple[int, Row]]:
    for line, content in enumerate(read_lines(text, path), 1):
        if not content.strip():
            continue
        try:
            row = parse_json(content)
            # Text of a deeply nested cell exhausts the recursion where parsing it did not.
            row = {name: "" if cell is None else str(cell) for name, cell in row.items()}
        except (ValueError, AttributeError, RecursionError):
            row = None
        if row is None:
            raise DataError(
                f"{path}, line {line}: not a JSON object.",
                remedy='Write one object a line, such as {"file_name": "1.png", "label": "cat"}.',
            )
        yield line, row
