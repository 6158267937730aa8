"""Tables that name the classes of a set beside its files.

KMNIST's `…_classmap.csv` and EMNIST's `…-mapping.txt`.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from clearcnn.data.tables import open_text, read_lines, read_rows
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.types import Array


def read_class_map(folder: Path, name: str, *, is_only: bool) -> list[str] | None:
    """Read the class names of a set: the last column of `NAME_classmap.csv`, by its first.

    Args:
      folder: of the set.
      name: of the set, such as "kmnist".
      is_only: the folder has no other set, so its only table belongs to this one.
    Returns:
      The names in the order of the labels; None if there is no table.
    Raises:
      DataError: the first column does not count from 0.
    """
    tables = sorted(folder.glob("*classmap.csv"))
    own = [table for table in tables if name and table.name.lower().startswith(name.split("-")[0])]
    if not own and not (is_only and len(tables) == 1):
        return None
    table = (own or tables)[0]
    rows = [list(row.values()) for _, row in read_rows(table, folder)]
    if [row[0] for row in rows] != [str(number) for number in range(len(rows))]:
        raise DataError(
            say(
                "{table}: the first column does not count the classes from 0 to {num_rows}.",
                table=table,
                num_rows=len(rows) - 1,
            ),
            remedy=say("Correct the table, or remove it."),
        )
    return [row[-1] for row in rows]


def read_mapping(folder: Path, name: str) -> dict[int, str] | None:
    """Read the class names of an EMNIST set, `NAME-mapping.txt`: a label and its ASCII codes.

    Args:
      folder: of the set.
      name: of the set, such as "emnist-letters".
    Returns:
      Label → name; None if there is no table. Several codes, such as those of A and a, are joined:
      "Aa".
    Raises:
      DataError: a line is not made of whole numbers.
    """
    path = folder / f"{name}-mapping.txt"
    if not name or not path.exists():
        return None
    names: dict[int, str] = {}
    with open_text(path, folder) as text:
        for number, line in enumerate(read_lines(text, path), 1):
            parts = line.split()
            if not all(part.isascii() and part.isdigit() for part in parts) or len(parts) == 1:
                raise DataError(
                    say(
                        "{path}, line {number}: expected a label and the codes of its characters.",
                        path=path,
                        number=number,
                    ),
                    remedy=say("Correct the table, or remove it."),
                )
            if parts:
                codes = [int(part) for part in parts[1:]]
                names[int(parts[0])] = "".join(chr(code) for code in codes if 32 < code < 0xD800)
    return names or None


def name_labels(labels: Array, names: Mapping[int, str] | None, place: object) -> Array:
    """Replace labels, (n,) of whole numbers or their texts, by names.

    Args:
      labels: of the data.
      names: label → name; None leaves the labels as they are.
      place: the file or folder, for error messages.
    Raises:
      DataError: a label has no name.
    """
    if names is None:
        return labels
    values, inverse = np.unique(labels, return_inverse=True)
    unknown = [value for value in values.tolist() if _as_number(value) not in names]
    if unknown:
        raise DataError(
            say(
                "{place}: the label {unknown!r} has no name in the mapping beside it.",
                place=place,
                unknown=unknown[0],
            ),
            remedy=say("Correct the mapping, or remove it."),
        )
    return np.array([names[_as_number(value)] for value in values.tolist()], np.str_)[inverse]


def _as_number(value: int | str) -> int:
    """Convert a label to a number; -1 if it is none."""
    if isinstance(value, int):
        return value
    return int(value) if value.isascii() and value.isdigit() else -1
