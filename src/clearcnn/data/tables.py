"""CSV and JSON lines files, read row by row with line numbers."""

import codecs
import csv
import gzip
import io
import itertools
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from clearcnn.bounded_json import parse_json
from clearcnn.data.classes import shorten
from clearcnn.data.safe_files import open_regular
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.spelling import did_you_mean

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Row = dict[str, str]

_MOST_EXPANSION = 32
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HANGUL = re.compile("[\uac00-\ud7a3]{2}")

LONGEST_LINE = 4 * 2**20
"""In characters: four times what a colour image of 96×96 pixels takes with all its digits."""


@contextmanager
def open_text(path: Path, root: Path | None = None) -> Iterator[TextIO]:
    """Open a text file in UTF-8, or in UTF-16 with a byte order mark, gzipped or not.

    Args:
      path, root: as for `open_regular`; a name that ends in .gz stands for gzip.
    Raises:
      DataError: on entering, as `open_regular`; while reading, it has another encoding, is not
        CSV, its gzip data are damaged, or it decompresses too far.
    """
    try:
        with open_regular(path, root) as file:
            is_packed = path.suffix.lower() == ".gz"
            stream = io.BufferedReader(_Unpacked(file, path)) if is_packed else file
            encoding = "utf-16" if stream.peek(2)[:2] in _UTF_16 else "utf-8-sig"
            with io.TextIOWrapper(stream, encoding=encoding, newline="") as text:
                yield text
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise DataError(
            say(
                "{path} cannot be decompressed: its gzip data are damaged or truncated.", path=path
            ),
            remedy=say("Download the file again."),
        ) from None
    except UnicodeDecodeError as error:
        raise _wrong_encoding(path, error) from None
    except csv.Error:
        raise DataError(
            say(
                "{path} is not a valid CSV file: a cell is too long, or has a line break "
                "outside quotes.",
                path=path,
            ),
            remedy=say("Save the file as CSV with commas."),
        ) from None


def _wrong_encoding(path: Path, error: UnicodeDecodeError) -> DataError:
    if error.encoding.startswith("utf-16"):
        return DataError(
            say("{path} begins as UTF-16 text, but is damaged or truncated.", path=path),
            remedy=say("Save the file as UTF-8; in a spreadsheet, as CSV UTF-8."),
        )
    if _is_korean(bytes(error.object)):
        return DataError(
            say("{path} is not UTF-8 text, but probably Korean text in CP949 (EUC-KR).", path=path),
            remedy=say("In Excel, save it as CSV UTF-8 (*.csv); in Notepad, with encoding UTF-8."),
        )
    return DataError(
        say(
            "{path} is not UTF-8 text: invalid byte {byte:#04x} at position {start:,} "
            "of its block.",
            path=path,
            byte=error.object[error.start],
            start=error.start,
        ),
        remedy=say("Save the file as UTF-8; in a spreadsheet, as CSV UTF-8."),
    )


def _is_korean(block: bytes) -> bool:
    """Whether a block of bytes is CP949 with Hangul; its end may be within a character."""
    for content in (block, block[:-1]):
        try:
            return _HANGUL.search(content.decode("cp949")) is not None
        except UnicodeDecodeError:
            continue
    return False


class _Unpacked(io.RawIOBase):
    """A gzipped file, decompressed to at most `_MOST_EXPANSION` times its size and 1 MiB."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._most_bytes = _MOST_EXPANSION * path.stat().st_size + 2**20
        self._stream = gzip.GzipFile(fileobj=file)
        self._path = path
        self._num_bytes = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        """Decompress the next bytes."""
        count = self._stream.readinto(buffer)
        self._num_bytes += count
        if self._num_bytes > self._most_bytes:
            raise DataError(
                say(
                    "{path} decompresses to more than {most_bytes:,} bytes, {most_expansion} "
                    "times its size.",
                    path=self._path,
                    most_bytes=self._most_bytes,
                    most_expansion=_MOST_EXPANSION,
                ),
                remedy=say(
                    "Unpack it if you trust it; tables of real images do not compress this far."
                ),
            )
        return count


def table_suffix(path: Path) -> str:
    """Return the suffix of a table in lower case, without that of gzip: ".csv" of "a.csv.gz"."""
    packed = path.suffix.lower() == ".gz"
    return (path.with_suffix("") if packed else path).suffix.lower()


def read_header(path: Path) -> list[str]:
    """Read the column names of a CSV file, stripped of surrounding spaces."""
    with open_text(path) as text:
        return [name.strip() for name in next(csv.reader(read_lines(text, path)), [])]


def read_lines(text: TextIO, path: Path) -> Iterator[str]:
    """Read lines with their line endings, with a limit on their length.

    Raises:
      DataError: a line is longer than `LONGEST_LINE`.
    """
    for number in itertools.count(1):
        line = text.readline(LONGEST_LINE + 1)
        if len(line) > LONGEST_LINE:
            raise DataError(
                say(
                    "{path}, line {number}: more than {longest_line:,} characters without a "
                    "line break.",
                    path=path,
                    number=number,
                    longest_line=LONGEST_LINE,
                ),
                remedy=say("Write one row per line."),
            )
        if not line:
            return
        yield line


def read_rows(path: Path, root: Path | None = None) -> Iterator[tuple[int, Row]]:
    """Read (line number, column → text) of each row of a CSV or JSON lines file.

    Empty lines are skipped; JSON's null becomes "".

    Args:
      path, root: as for `open_regular`.
    Raises:
      DataError: a row has more or fewer cells than the header, or a line is not a JSON object.
    """
    with open_text(path, root) as text:
        yield from _json_rows(text, path) if is_json_lines(path) else _csv_rows(text, path)


def is_json_lines(path: Path) -> bool:
    """Whether a file has the suffix of JSON lines: one JSON object per line."""
    return path.suffix.lower() in (".jsonl", ".ndjson")


def require_columns(path: Path, found: list[str], *wanted: str) -> None:
    """Raise a DataError that names a missing column and lists those of the table."""
    for name in wanted:
        if name not in found:
            listed = ", ".join(map(shorten, found[:20]))
            raise DataError(
                say(
                    "{path} has no column {name!r}; its columns are {listed}.",
                    path=path,
                    name=name,
                    listed=listed,
                ),
                remedy=say(
                    "{suggestion}Add the column {name!r}, or rename one.",
                    suggestion=did_you_mean(name, found),
                    name=name,
                ),
            )


def _csv_rows(text: TextIO, path: Path) -> Iterator[tuple[int, Row]]:
    reader = csv.reader(read_lines(text, path), strict=True)
    header = [name.strip() for name in next(reader, [])]
    for cells in reader:
        if not cells:
            continue
        if len(cells) != len(header):
            raise DataError(
                say(
                    "{path}, line {line}: {num_cells} cells, but {num_names} column names.",
                    path=path,
                    line=reader.line_num,
                    num_cells=len(cells),
                    num_names=len(header),
                ),
                remedy=say("Put cells that contain commas in double quotes."),
            )
        yield reader.line_num, dict(zip(header, map(str.strip, cells), strict=True))


def _json_rows(text: TextIO, path: Path) -> Iterator[tuple[int, Row]]:
    for line, content in enumerate(read_lines(text, path), 1):
        if not content.strip():
            continue
        try:
            row = parse_json(content)
            # str() of a deeply nested cell may exceed the recursion limit where parsing did not.
            row = {name: "" if cell is None else str(cell) for name, cell in row.items()}
        except (ValueError, AttributeError, RecursionError):
            row = None
        if row is None:
            raise DataError(
                say("{path}, line {line}: not a JSON object.", path=path, line=line),
                remedy=say(
                    'Write one object per line, such as {{"file_name": "1.png", "label": "cat"}}.'
                ),
            )
        yield line, row
