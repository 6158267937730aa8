"""Pictures named in a table: metadata.csv or metadata.jsonl, as Hugging Face has it.

Columns: file_name (relative to the table's folder) and label; group, or another one that the user
names for it, and split if there are any.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath

from clearcnn.data.build_dataset import assemble_pictures
from clearcnn.data.classes import shorten
from clearcnn.data.folder import part_folders, walk_pictures
from clearcnn.data.image_files import Entry
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.safe_files import is_inside, read_bytes
from clearcnn.data.split_names import require_part
from clearcnn.data.tables import Row, read_rows, require_columns
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec

_LONGEST_PATH = 4096

TABLE_NAMES = ("metadata.csv", "metadata.jsonl")


def read(path: Path, spec: DataSpec) -> LabelledImages:
    """Read the pictures that a table names.

    Args:
      path: a table, a folder that holds one, or a folder whose part folders each hold one.
      spec: the wanted size, colour mode and classes.
    Raises:
      DataError: there is no table, a column or cell is missing, a name is given twice or leads
        out of the folder, or a picture cannot be read.
    """
    in_folder = path.is_dir()
    tables = find_tables(path) if in_folder else [(None, path)]
    if not tables:
        raise DataError(
            f"{path} holds none of {', '.join(TABLE_NAMES)}.",
            remedy="Write one with the columns file_name and label.",
        )
    root = path if in_folder else path.parent
    entries = [
        entry
        for part, table in tables
        for entry in _entries(
            table, read_rows(table, root if in_folder else None), part, root, spec.group_column
        )
    ]
    if not entries:
        raise DataError(f"{path} names no pictures.", remedy="Add a row for each picture.")
    _check_columns_are_full(entries, path, spec.group_column)
    return assemble_pictures(
        entries,
        spec,
        source=f"pictures named in {tables[0][1] if len(tables) == 1 else path}",
        preparation=_describe_unnamed(entries, path) if in_folder else (),
    )


def find_tables(folder: Path) -> list[tuple[str | None, Path]]:
    """(part, table) of a folder: its own table, or those of its part folders."""
    own = _table_in(folder)
    if own:
        return [(None, own)]
    parts = part_folders(folder).items()
    return [(part, table) for part, path in parts if (table := _table_in(path))]


def _table_in(folder: Path) -> Path | None:
    # A link that leads nowhere is a table, too: its reader will say what is wrong with it.
    found = [folder / name for name in TABLE_NAMES if os.path.lexists(folder / name)]
    if len(found) > 1:
        raise DataError(
            f"{folder} holds both {' and '.join(TABLE_NAMES)}.", remedy="Keep one of them."
        )
    return found[0] if found else None


def _entries(
    table: Path,
    rows: Iterable[tuple[int, Row]],
    part: str | None,
    root: Path,
    group_column: str,
) -> Iterator[Entry]:
    """The rows of a table as entries named by their path within `root`."""
    lines: dict[str, int] = {}
    inside: dict[Path, bool] = {}
    for line, row in rows:
        place = f"{table}, line {line}"
        named = () if group_column == "group" else (group_column,)
        require_columns(table, list(row), "file_name", "label", *named)
        name = row["file_name"]
        if not name or not row["label"]:
            raise DataError(
                f"{place}: {shorten(name)} has no label." if name else f"{place}: no file_name.",
                remedy="Fill the cell, or remove the row.",
            )
        if name in lines:
            raise DataError(
                f"{place}: {shorten(name)} is named in line {lines[name]} already.",
                remedy="Name each picture once.",
            )
        lines[name] = line
        path = table.parent / name
        if _is_no_path(name):
            raise DataError(
                f"{place}: {shorten(name)} is no name that a file can have.",
                remedy="Correct the cell.",
            )
        if path.parent not in inside:
            inside[path.parent] = is_inside(path.parent, root)
        if _leads_away(name) or not inside[path.parent]:
            raise DataError(
                f"{place}: {name} leads out of the folder {root}.",
                remedy="Name pictures relative to the folder of the table, and within it.",
            )
        yield Entry(
            name=path.relative_to(root).as_posix(),
            label=row["label"],
            read=partial(read_bytes, path, root),
            group=row.get(group_column) or None,
            part=part or (require_part(row["split"], place) if row.get("split") else None),
        )


def _leads_away(name: str) -> bool:
    """Whether a file name is absolute, on this or another system, or goes up."""
    windows, posix = PureWindowsPath(name), PurePosixPath(name)
    rooted = posix.is_absolute() or windows.is_absolute() or bool(windows.drive or windows.root)
    return rooted or ".." in windows.parts


def _is_no_path(name: str) -> bool:
    """Whether no file can be called so: too long, with a zero byte, or no Unicode."""
    try:
        return len(os.fsencode(name)) > _LONGEST_PATH or "\0" in name
    except UnicodeEncodeError:
        return True


def _check_columns_are_full(entries: Sequence[Entry], path: Path, group_column: str) -> None:
    for column, values in (
        (group_column, [entry.group for entry in entries]),
        ("split", [entry.part for entry in entries]),
    ):
        if None in values and any(values):
            raise DataError(
                f"{path}: {entries[values.index(None)].name} has no {column}, but others have.",
                remedy=f"Fill the column {column!r} in every row, or leave it out.",
            )


def _describe_unnamed(entries: Sequence[Entry], folder: Path) -> tuple[str, ...]:
    named = {entry.name for entry in entries}
    pictures = [p.relative_to(folder).as_posix() for p in walk_pictures(folder).pictures]
    unnamed = [name for name in pictures if name not in named]
    if not unnamed:
        return ()
    return (
        f"{len(unnamed):,} picture{'s' if len(unnamed) > 1 else ''} in the folder that the table "
        f"does not name left out, such as {unnamed[0]}.",
    )
