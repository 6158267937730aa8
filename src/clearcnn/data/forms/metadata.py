"""Images listed in a table: metadata.csv or metadata.jsonl, in the format of Hugging Face.

Columns: file_name (relative to the table's folder) and label; optionally split, and group or
another column that the user names for it.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath

from clearcnn.data.build_dataset import build_from_files
from clearcnn.data.classes import shorten
from clearcnn.data.forms.folder import split_folders, walk_images
from clearcnn.data.image_files import Entry
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.safe_files import SourceFile, is_inside
from clearcnn.data.split_names import require_split_name
from clearcnn.data.tables import Row, is_json_lines, read_header, read_rows, require_columns
from clearcnn.errors import DataError
from clearcnn.language import join, say, say_count
from clearcnn.specs import DataSpec

_LONGEST_PATH = 4096

TABLE_NAMES = ("metadata.csv", "metadata.jsonl")


def recognise(path: Path) -> bool:
    """Whether a folder or its split folders contain a table, or a file is one."""
    if path.is_dir():
        return bool(find_tables(path))
    if path.suffix.lower() == ".csv":
        return {"file_name", "label"} <= set(read_header(path))
    return is_json_lines(path)


def read(path: Path, spec: DataSpec) -> LabelledImages:
    """Read the images that a table lists.

    Args:
      path: a table, a folder that contains one, or a folder whose train, validation and test
        folders each contain one.
      spec: the wanted size, colour mode and classes.
    Raises:
      DataError: there is no table, a column or cell is missing, a name is listed twice or leads
        out of the folder, or an image cannot be read.
    """
    in_folder = path.is_dir()
    tables = find_tables(path) if in_folder else [(None, path)]
    if not tables:
        nor = say(" nor ")
        raise DataError(
            say(
                "{path} contains neither {table_names}.",
                path=path,
                table_names=join(nor, TABLE_NAMES),
            ),
            remedy=say("Write one with the columns file_name and label."),
        )
    root = path if in_folder else path.parent
    entries = [
        entry
        for split_name, table in tables
        for entry in _entries(
            table,
            read_rows(table, root if in_folder else None),
            split_name,
            root,
            spec,
        )
    ]
    if not entries:
        raise DataError(
            say("{path} lists no images.", path=path), remedy=say("Add a row for each image.")
        )
    _check_columns_are_full(entries, path, spec.group_column)
    return build_from_files(
        entries,
        spec,
        source=say("images listed in {tables}", tables=tables[0][1] if len(tables) == 1 else path),
        preparation=_describe_unnamed(entries, path) if in_folder else (),
    )


def find_tables(folder: Path) -> list[tuple[str | None, Path]]:
    """Find (split name, table) of a folder: its own table, or those of its split folders."""
    own = _table_in(folder)
    if own:
        return [(None, own)]
    folders = split_folders(folder, _table_in).items()
    return [(name, table) for name, path in folders if (table := _table_in(path))]


def _table_in(folder: Path) -> Path | None:
    # A dangling link counts, too: opening it raises an error that names it.
    found = [folder / name for name in TABLE_NAMES if os.path.lexists(folder / name)]
    if len(found) > 1:
        raise DataError(
            say(
                "{folder} contains both {table_names}.",
                folder=folder,
                table_names=join(say(" and "), TABLE_NAMES),
            ),
            remedy=say("Keep one of them."),
        )
    return found[0] if found else None


def _entries(
    table: Path,
    rows: Iterable[tuple[int, Row]],
    split_name: str | None,
    root: Path,
    spec: DataSpec,
) -> Iterator[Entry]:
    """Turn the rows of a table into entries, named by their path within `root`."""
    image_column, label_column = spec.image_column or "file_name", spec.label_column or "label"
    group_column = spec.group_column
    lines: dict[str, int] = {}
    inside: dict[Path, bool] = {}
    for line, row in rows:
        place = say("{table}, line {line}", table=table, line=line)
        named = () if group_column == "group" else (group_column,)
        require_columns(table, list(row), image_column, label_column, *named)
        name = row[image_column]
        if not name or not row[label_column]:
            raise DataError(
                say("{place}: {name} has no label.", place=place, name=shorten(name))
                if name
                else say(
                    "{place}: no {image_column}.", place=place, image_column=shorten(image_column)
                ),
                remedy=say("Fill the cell, or remove the row."),
            )
        if name in lines:
            raise DataError(
                say(
                    "{place}: {name} was already listed in line {lines}.",
                    place=place,
                    name=shorten(name),
                    lines=lines[name],
                ),
                remedy=say("List each image once."),
            )
        lines[name] = line
        path = table.parent / name
        if _is_invalid_path(name):
            raise DataError(
                say("{place}: {name} is not a valid file name.", place=place, name=shorten(name)),
                remedy=say("Correct the cell."),
            )
        if path.parent not in inside:
            inside[path.parent] = is_inside(path.parent, root)
        if _leads_away(name) or not inside[path.parent]:
            raise DataError(
                say(
                    "{place}: {name} leads out of the folder {root}.",
                    place=place,
                    name=name,
                    root=root,
                ),
                remedy=say("Use file names relative to the folder of the table, and inside it."),
            )
        yield Entry(
            name=path.relative_to(root).as_posix(),
            label=row[label_column],
            read=SourceFile(path, root),
            group=row.get(group_column) or None,
            split_name=split_name
            or (require_split_name(row["split"], place) if row.get("split") else None),
        )


def _leads_away(name: str) -> bool:
    """Whether a file name is absolute, on this or another system, or goes up."""
    windows, posix = PureWindowsPath(name), PurePosixPath(name)
    rooted = posix.is_absolute() or windows.is_absolute() or bool(windows.drive or windows.root)
    return rooted or ".." in windows.parts


def _is_invalid_path(name: str) -> bool:
    """Whether no file can have this name: too long, with a null byte, or invalid Unicode."""
    try:
        return len(os.fsencode(name)) > _LONGEST_PATH or "\0" in name
    except UnicodeEncodeError:
        return True


def _check_columns_are_full(entries: Sequence[Entry], path: Path, group_column: str) -> None:
    for column, values in (
        (group_column, [entry.group for entry in entries]),
        ("split", [entry.split_name for entry in entries]),
    ):
        if None in values and any(values):
            raise DataError(
                say(
                    "{path}: {name} has no {column}, but others have.",
                    path=path,
                    name=entries[values.index(None)].name,
                    column=column,
                ),
                remedy=say(
                    "Fill the column {column!r} in every row, or remove the column.", column=column
                ),
            )


def _describe_unnamed(entries: Sequence[Entry], folder: Path) -> tuple[str, ...]:
    named = {entry.name for entry in entries}
    found = [path.relative_to(folder).as_posix() for path in walk_images(folder).images]
    unnamed = [name for name in found if name not in named]
    if not unnamed:
        return ()
    return (
        say_count(
            "{number:,} image in the folder left out, since the table does not list them, such as "
            "{unnamed}.",
            "{number:,} images in the folder left out, since the table does not list them, such as "
            "{unnamed}.",
            len(unnamed),
            unnamed=unnamed[0],
        ),
    )
