"""The names of numbered classes in a list beside a table: `classes.txt`, `labels_map.txt`."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from clearcnn.data.classes import normal_form
from clearcnn.data.tables import open_text, read_lines
from clearcnn.language import say

_STEMS = (
    *("classes", "class_names", "classnames", "class_list", "labels_map", "label_map", "labelmap"),
    *("label_names", "labelnames", "label_list", "categories", "class_labels", "obj.names"),
)
_SUFFIXES = (".txt", ".csv", ".tsv", ".names", "")
_SEPARATORS = ("\t", ",", ";", ":", " ")
_MOST_NAMES = 10_000


def is_class_list(path: Path) -> bool:
    """Whether a file is named as lists of class names are."""
    return path.suffix.lower() in _SUFFIXES and path.stem.casefold() in _STEMS


def name_classes(labels: Sequence[str], table: Path) -> tuple[list[str], tuple[str, ...]]:
    """Give labels that are whole numbers the names that a list beside the table has for them.

    The list has a name in each line, in the order of the labels from 0 or from 1; or a number and a
    name.

    Args:
      labels: (n,) one for each image.
      table: the file that they come from; the list is in its folder.
    Returns:
      (labels, sentences): unchanged, with a sentence, if the list does not fit.
    Raises:
      DataError: the list is not UTF-8 text.
    """
    if not all(label.isascii() and label.isdigit() for label in set(labels)):
        return list(labels), ()
    lists = sorted(each for each in table.parent.iterdir() if is_class_list(each))
    path = next((each for each in lists if each != table and each.is_file()), None)
    if path is None:
        return list(labels), ()
    with open_text(path, table.parent) as text:
        lines = [line.strip() for line in islice(read_lines(text, path), _MOST_NAMES)]
    filled = [normal_form(line) for line in lines if line]
    low, high = min(map(int, labels)), max(map(int, labels))
    names = _read_numbered(filled) or _count_from(filled, low, high)
    if len(set(filled)) < len(filled) or {*map(int, labels)} - {*names}:
        said = say(
            "{name} does not name the labels {low} to {high}, and was not used.",
            name=path.name,
            low=low,
            high=high,
        )
        return list(labels), (said,)
    said = say(
        "Labels {low} to {high} named {first!r} to {last!r} by {name}.",
        low=low,
        high=high,
        first=names[low],
        last=names[high],
        name=path.name,
    )
    return [names[int(label)] for label in labels], (said,)


def _read_numbered(lines: Sequence[str]) -> dict[int, str]:
    """Read lines of a number and a name; empty if they have another form."""
    for separator in _SEPARATORS:
        parts = [line.partition(separator) for line in lines]
        # A first line may have the names of the columns.
        rows = parts[1:] if parts and not parts[0][0].strip().isdigit() else parts
        if rows and all(one.strip().isdecimal() and other.strip() for one, _, other in rows):
            return {int(one): other.strip() for one, _, other in rows}
    return {}


def _count_from(lines: Sequence[str], low: int, high: int) -> dict[int, str]:
    """Number names from 0 or 1 on, as the labels are; empty if it cannot be told."""
    if high < len(lines) and low == 0:
        return dict(enumerate(lines))
    return dict(enumerate(lines, 1)) if low == 1 and high == len(lines) else {}
