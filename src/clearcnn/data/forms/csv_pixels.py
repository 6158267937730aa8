"""Pixels in a CSV file: one image per row, a label column and a column for each pixel."""

import csv
import math
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcnn.data.arrays import prepare_array
from clearcnn.data.build_dataset import build_from_array
from clearcnn.data.classes import quote, shorten
from clearcnn.data.labelled_images import Images, LabelledImages
from clearcnn.data.split_names import require_split_name
from clearcnn.data.tables import open_text, read_header, read_lines
from clearcnn.errors import DataError
from clearcnn.specs import LARGEST_SIDE, DataSpec

LABEL_COLUMNS = ("label", "class", "target")
LABELS = "label, class or target"

_LINES_AT_ONCE = 2000
_LETTERS_AT_ONCE = 4 * 2**20
_MOST_COLUMNS = 3 * LARGEST_SIDE**2 + 3
_PLACE = re.compile(r"(?<!\d)(\d{1,4})\D(\d{1,4})(?:\D(\d{1,4}))?$")  # pixel_3_4, 3x4, p_3_4_0

Shape = tuple[int, ...]


def recognise(path: Path) -> bool:
    """Whether a file has the suffix .csv; a table of files is recognised before."""
    return path.suffix.lower() == ".csv" and not path.is_dir()


def read(path: Path, spec: DataSpec) -> LabelledImages:
    """Read images from a CSV file whose first line names the columns.

    The shape comes from column names such as pixel_3_4 (row, column, optionally channel);
    otherwise from `spec.size`, with three channels last if there are three times as many pixels;
    otherwise the image is square. Columns named group and split have their usual meaning.

    Raises:
      DataError: there is no label column, the pixels fit no shape, or a cell is empty or not a
        number.
    """
    header = read_header(path)
    if len(header) > _MOST_COLUMNS:
        raise DataError(
            f"{path} has {len(header):,} columns; at most {_MOST_COLUMNS:,} are read, enough for a "
            f"colour image of {LARGEST_SIDE}×{LARGEST_SIDE} pixels.",
            remedy="Resize the images.",
        )
    lower = [name.lower() for name in header]
    asked = [] if spec.label_column is None else [spec.label_column.lower()]
    label = next((name for name in asked or LABEL_COLUMNS if name in lower), None)
    if label is None:
        raise DataError(
            f"{path}: no column is named {asked[0] if asked else LABELS}; the columns are "
            f"{quote(header, 5)}.",
            remedy="Put the column names into the first line, and name the label column "
            "'label', or give its name with --label-column.",
        )
    group = spec.group_column.lower()
    if group != "group" and group not in lower:
        raise DataError(
            f"{path} has no column {spec.group_column!r}; the columns are {quote(header, 5)}.",
            remedy="Name the column with the groups.",
        )
    words = {name: lower.index(name) for name in (label, group, "split") if name in lower}
    pixels = [k for k in range(len(header)) if k not in words.values()]
    order, shape = _layout([header[k] for k in pixels], spec, path)
    rows, texts = _read_rows(path, header, [pixels[k] for k in order], list(words.values()))
    columns = dict(zip(words, texts, strict=True))
    source = f"pixels in {path}"
    images, sentences = prepare_array(_narrow(rows).reshape(-1, *shape), spec, source)
    return build_from_array(
        images,
        columns[label],
        spec,
        source=source,
        groups=columns.get(group),
        split_names=[require_split_name(split, str(path)) for split in columns["split"]]
        if "split" in columns
        else None,
        preparation=sentences,
    )


def _layout(names: list[str], spec: DataSpec, path: Path) -> tuple[list[int], Shape]:
    """Find the order of the pixel columns, and the image shape (height, width[, channels])."""
    matches = [match for name in names if (match := _PLACE.search(name))]
    if names and len(matches) == len(names):
        places = np.array([[int(digits or 0) for digits in match.groups()] for match in matches])
        places -= places.min(axis=0)
        shape = tuple(int(side) for side in places.max(axis=0) + 1)
        if math.prod(shape) != len(names) or len(np.unique(places, axis=0)) != len(names):
            raise DataError(
                f"{path}: the names of the {len(names)} pixel columns, {shorten(names[0])} to "
                f"{shorten(names[-1])}, do not cover an image of {shape[0]}×{shape[1]} exactly "
                "once.",
                remedy="Name one column for each pixel, such as pixel_0_0, or use names without "
                "positions.",
            )
        return np.lexsort(places.T[::-1]).tolist(), shape
    everything = list(range(len(names)))
    if spec.size and math.prod(spec.size) in (len(names), len(names) / 3):
        channels = (3,) if math.prod(spec.size) < len(names) else ()
        return everything, (*spec.size, *channels)
    side = math.isqrt(len(names))
    if not names or side * side != len(names):
        raise DataError(
            f"{path}: {len(names)} pixel columns do not make a square image.",
            remedy="Give the height and width (--size 20x30), or name columns pixel_0_0 and so on.",
        )
    return everything, (side, side)


def _read_rows(
    path: Path, header: list[str], pixels: list[int], words: list[int]
) -> tuple[NDArray[np.float32], list[list[str]]]:
    """Read the pixel columns as (n, pixels) float32, and the other columns as text."""
    blocks: list[NDArray[np.float32]] = []
    texts: list[list[str]] = [[] for _ in words]
    first = 2
    with open_text(path) as text:
        waiting = read_lines(text, path)
        next(waiting, None)
        while lines := _take_lines(waiting):
            cells = list(csv.reader(lines))
            _check_words(cells, header, words, first, path)
            filled = [row for row in cells if row]
            for column, k in zip(texts, words, strict=True):
                column.extend(row[k].strip() for row in filled)
            if filled:
                blocks.append(_numbers(lines, cells, header, pixels, first, path))
            first += len(lines)
    if not blocks:
        raise DataError(f"{path} has no rows.", remedy="Add a row for each image.")
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


def _check_words(
    cells: list[list[str]], header: list[str], words: list[int], first: int, path: Path
) -> None:
    for line, row in enumerate(cells, first):
        if row and len(row) != len(header):
            raise DataError(
                f"{path}, line {line}: {len(row)} cells, but {len(header)} column names.",
                remedy="Write one cell for each column in every row.",
            )
        if row and (empty := [header[k] for k in words if not row[k].strip()]):
            raise DataError(
                f"{path}, line {line}: the {empty[0]} is missing.",
                remedy="Fill the cell, or remove the row.",
            )


def _numbers(
    lines: list[str],
    cells: list[list[str]],
    header: list[str],
    pixels: list[int],
    first: int,
    path: Path,
) -> NDArray[np.float32]:
    try:
        return np.loadtxt(
            lines, np.float32, comments=None, delimiter=",", usecols=pixels, ndmin=2, quotechar='"'
        )
    except ValueError:
        for line, row in enumerate(cells, first):
            for k in pixels if row else []:
                if not _is_number(row[k]):
                    raise DataError(
                        f"{path}, line {line}: {shorten(row[k])!r} in the column "
                        f"{shorten(header[k])} is not a number.",
                        remedy="Correct the cell, or remove the row.",
                    ) from None
        raise DataError(
            f"{path}, lines {first} to {first + len(lines) - 1}: expected numbers separated by "
            "commas.",
            remedy="Write plain numbers, without line breaks or quotation marks inside a cell.",
        ) from None


def _is_number(text: str) -> bool:
    """Whether NumPy reads a text as a number, unlike 1_000 and digits of other scripts."""
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and "_" not in text


def _narrow(rows: NDArray[np.float32]) -> Images:
    """Convert whole numbers to uint8 or uint16 where they fit."""
    low, high = rows.min(), rows.max()
    if np.isfinite(low + high) and low >= 0 and high <= 65535 and (rows == np.rint(rows)).all():
        return rows.astype(np.uint8 if high <= 255 else np.uint16)
    return rows
