"""Tables that name the classes of a set beside its arrays: KMNIST's `…_classmap.csv`."""

from pathlib import Path

from clearcnn.data.tables import read_rows
from clearcnn.errors import DataError


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
            f"{table}: the first column does not count the classes from 0 to {len(rows) - 1}.",
            remedy="Correct the table, or remove it.",
        )
    return [row[-1] for row in rows]
