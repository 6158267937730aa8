"""Which columns of a table name files, have labels, groups and splits."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from clearcnn.data.classes import quote, shorten
from clearcnn.data.label_tables.delimited import BLANKS, Row, TextTable
from clearcnn.data.label_tables.named_files import NamedFiles
from clearcnn.data.label_tables.split_cells import COLUMN_NAMES, find_split_word
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.specs import DataSpec
from clearcnn.spelling import did_you_mean

# Names that people give to the column of labels, without regard to capitals and separators.
LABEL_NAMES = frozenset(
    [
        *("label", "labels", "class", "classes", "classid", "classname", "classlabel"),
        *("category", "categoryid", "target", "targets"),
        *("breed", "species", "diagnosis", "dx", "emotion"),
    ]
)
# Names of columns that describe an image file rather than what it shows.
_DESCRIBING_NAMES = frozenset(
    [
        *("width", "height", "size", "filesize", "bytes", "channels", "depth", "format", "mode"),
        *("md5", "sha1", "sha256", "hash", "checksum", "url", "link", "source", "license"),
        *("licence", "author", "date", "time", "timestamp", "created", "latitude", "longitude"),
        *("x", "y", "xmin", "ymin", "xmax", "ymax", "bbox", "caption", "description"),
    ]
)
_INDEX_NAMES = frozenset(["", "index", "unnamed: 0", "no", "no.", "nr"])
_SAMPLE = 200
_FEWEST_COUNTED = 20
_MOST_ONE_HOT = 1000
_ONE_HOT = {"0": False, "1": True, "0.0": False, "1.0": True, "0.": False, "1.": True}


@dataclass(frozen=True)
class Columns:
    """The columns of a table by what they hold; positions count from 0.

    Attributes:
      names: of all columns, as in the first row; "column 1" and so on without one.
      has_names: whether the first row has the names.
      image: the position of the column with file names.
      label: of the column with labels; None if the labels are one-hot.
      one_hot: of the columns with 0 and 1, one for each class; () if the labels are in one column.
      split, group: of these columns, or None.
      is_certain: whether the labels were named by the user or have a usual name, or there is no
        other column.
    """

    names: tuple[str, ...]
    has_names: bool
    image: int
    label: int | None
    one_hot: tuple[int, ...] = field(default=())
    split: int | None = None
    group: int | None = None
    is_certain: bool = True

    def rows(self, table: TextTable) -> list[Row]:
        """Return the rows with values."""
        return table.rows[1:] if self.has_names else table.rows


def find_columns(
    table: TextTable, files: NamedFiles, spec: DataSpec, near: str, split: str | None
) -> Columns | None:
    """Find out what the columns hold.

    Args:
      table: its rows.
      files: the image files that it may name.
      spec: has the names that the user gave.
      near, split: of the table, as for `NamedFiles.find`.
    Returns:
      Columns; None if no column names image files.
    Raises:
      DataError: a column that the user named is missing, or it cannot be told which has the labels.
    """
    first = table.rows[0].cells
    has_names = not any(files.find(cell, near, split) for cell in first if cell)
    names = (
        first
        if has_names
        else tuple(say("column {column}", column=k) for k in range(1, len(first) + 1))
    )
    rows = table.rows[1:] if has_names else table.rows
    values = [[row.cells[k] for row in rows] for k in range(len(names))]
    image = _named(table, names, spec.image_column, "--image-column")
    if image is None:
        image = _find_image_column(values, files, near, split)
    if image is None:
        return None
    others = [
        k
        for k in range(len(names))
        if k != image and names[k].casefold() not in _INDEX_NAMES and not _counts(values[k])
    ]
    group = _named(
        table, names, None if spec.group_column == "group" else spec.group_column, "--groups"
    )
    if group is None:
        group = next((k for k in others if names[k].casefold() == "group"), None)
    label = _named(table, names, spec.label_column, "--label-column")
    splits = (
        None
        if label is not None and len(others) == 1
        else _find_split_column(names, values, others, label)
    )
    others = [k for k in others if k not in (splits, group)]
    found = Columns(names, has_names, image, label, (), splits, group)
    if label is not None:
        return found
    if len(others) == 1 and not (has_names and _plain(names[others[0]]) in _DESCRIBING_NAMES):
        return Columns(names, has_names, image, others[0], (), splits, group)
    usual = [k for k in others if _plain(names[k]) in LABEL_NAMES and _repeats(values[k])]
    usual = _without_numbers_of(usual, values)
    if len(usual) == 1:
        return Columns(names, has_names, image, usual[0], (), splits, group)
    if (
        has_names
        and 2 <= len(others) <= _MOST_ONE_HOT
        and all(_is_one_hot(values[k]) for k in others)
    ):
        return Columns(names, has_names, image, None, tuple(others), splits, group)
    likely = [k for k in others if _repeats(values[k]) and not _are_numbers(values[k])]
    # Without column names, blanks may be part of a label, such as New York.
    may_be_words = table.delimiter == BLANKS and not has_names
    if len(likely) == 1 and not usual and not may_be_words:
        return Columns(names, has_names, image, likely[0], (), splits, group, is_certain=False)
    listed = "; ".join(
        say(
            "{names!r} with {values}",
            names=shorten(names[k]),
            values=quote(dict.fromkeys(values[k]), 3),
        )
        for k in others[:8]
    )
    raise DataError(
        say(
            "{path}: the column {names!r} names the images, but it is unclear which column "
            "has the labels: {listed}.",
            path=table.path,
            names=names[image],
            listed=listed or say("there is no other column"),
        ),
        remedy=say("Name it: --label-column NAME, or DataSpec(…, label_column=NAME) in Python."),
    )


def _named(table: TextTable, names: Sequence[str], wanted: str | None, option: str) -> int | None:
    if wanted is None:
        return None
    if wanted in names:
        return list(names).index(wanted)
    raise DataError(
        say(
            "{path} has no column {wanted!r}; its columns are {names}.",
            path=table.path,
            wanted=wanted,
            names=quote(names, 20),
        ),
        remedy=say(
            "{suggestion}Give the name of a column with {option}.",
            suggestion=did_you_mean(wanted, names),
            option=option,
        ),
    )


def _find_image_column(
    values: Sequence[Sequence[str]], files: NamedFiles, near: str, split: str | None
) -> int | None:
    """Find the column of which most values, all different, name a file."""
    scores = []
    for column in values:
        sample = [value for value in column[:_SAMPLE] if value]
        hits = sum(bool(files.find(value, near, split)) for value in sample)
        is_name = hits and 2 * hits >= len(sample) and len(set(sample)) == len(sample)
        scores.append((hits, max(map(len, sample)) if is_name else 0) if is_name else (0, 0))
    best = max(scores, default=(0, 0))
    return scores.index(best) if best[0] else None


def _find_split_column(
    names: Sequence[str], values: Sequence[Sequence[str]], others: Sequence[int], label: int | None
) -> int | None:
    for k in others:
        if k == label or not values[k]:
            continue
        known = {find_split_word(value) for value in set(values[k])}
        if None not in known and (len(known) > 1 or names[k].casefold() in COLUMN_NAMES):
            return k
    return None


def _without_numbers_of(usual: Sequence[int], values: Sequence[Sequence[str]]) -> list[int]:
    """Of two columns that say the same, the class's number and its name, keep the name."""
    if len(usual) != 2:
        return list(usual)
    one, other = (values[k] for k in usual)
    pairs = set(zip(one, other, strict=True))
    texts = [k for k in usual if not _are_numbers(values[k])]
    same = len(pairs) == len(set(one)) == len(set(other))
    return texts if same and len(texts) == 1 else list(usual)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _counts(column: Sequence[str]) -> bool:
    """Whether a column counts the rows from 0 or 1, so that it tells nothing of the images."""
    is_counted = column[:1] in (["0"], ["1"]) and len(column) >= _FEWEST_COUNTED
    return is_counted and all(cell == str(k) for k, cell in enumerate(column, int(column[0])))


def _repeats(column: Sequence[str]) -> bool:
    """Whether a column has few values, each of which several rows may have."""
    return 2 * len(set(column)) <= len(column)


def _are_numbers(column: Sequence[str]) -> bool:
    try:
        [float(value) for value in column]
    except ValueError:
        return False
    return True


def _is_one_hot(column: Sequence[str]) -> bool:
    return bool(column) and set(column) <= set(_ONE_HOT)


def is_one(cell: str) -> bool:
    """Whether the cell of a one-hot column says that the image has this label."""
    return _ONE_HOT.get(cell, False)
