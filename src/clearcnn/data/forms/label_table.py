"""Images whose labels are in a table with any column names, as contests and tools write them.

Such as `labels.csv` with id and breed beside a flat `train/`, `_classes.csv` of Roboflow in each
split folder, or `Train.csv` and `Test.csv` with paths.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from clearcnn.data.build_dataset import build_from_files
from clearcnn.data.classes import quote, shorten
from clearcnn.data.forms.folder import subfolders
from clearcnn.data.image_files import Entry
from clearcnn.data.label_tables.class_names import is_class_list, name_classes
from clearcnn.data.label_tables.columns import Columns, find_columns, is_one
from clearcnn.data.label_tables.delimited import SUFFIXES, Row, TextTable, read_table
from clearcnn.data.label_tables.label_texts import reject_lists, several_labels, unify_labels
from clearcnn.data.label_tables.named_files import NamedFiles
from clearcnn.data.label_tables.split_cells import find_split_word
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.natural_sort import natural_key
from clearcnn.data.safe_files import SourceFile, is_hidden
from clearcnn.errors import DataError
from clearcnn.language import say, say_count
from clearcnn.specs import DataSpec

_SAMPLE_ROWS = 201
_MOST_TABLES = 100
_MOST_UNLABELLED_FOLDERS = 2


@dataclass(frozen=True)
class LabelTable:
    """A table whose columns are known.

    Attributes:
      near: its folder, relative to the source, with slashes.
      split: that its name or its folder stands for; None if none.
    """

    path: Path
    near: str
    split: str | None


@dataclass(frozen=True)
class _Found:
    """What the tables say of the images, one item for each image."""

    paths: list[str]
    labels: list[str]
    splits: list[str | None]
    groups: list[str | None]


def recognise(path: Path) -> bool:
    """Whether a file is a table that names images, or a folder has such tables for its images."""
    if not path.is_dir():
        if path.suffix.lower() not in SUFFIXES:
            return False
        return bool(_tables_of(path, [LabelTable(path, "", None)], DataSpec())[1])
    listed = _list_tables(path)
    if not listed:
        return False
    files, tables = _tables_of(path, listed, DataSpec())
    if not tables:
        return False
    named, is_certain = set(), True
    for table, columns in tables:
        text = read_table(table.path, path)
        is_certain = is_certain and columns is not None and columns.is_certain
        if text is None or columns is None:
            continue
        for row in columns.rows(text):
            named.update(files.find(row.cells[columns.image], table.near, table.split))
    # Where other folders of images are left, or folders may be classes, a table may be about
    # something else.
    unnamed = {name.rpartition("/")[0] for name in files.paths if name not in named}
    parents = {name.rpartition("/")[0] for name in files.paths if name in named}
    are_flat = len(parents) <= len(tables)
    return len(unnamed) <= _MOST_UNLABELLED_FOLDERS and (is_certain or are_flat)


def read(path: Path, spec: DataSpec) -> LabelledImages:
    """Read the images that tables name, with the labels that they give.

    Args:
      path: a table, or a folder with tables in it or directly in its subfolders.
      spec: may name the columns.
    Raises:
      DataError: no table names image files, a column is unclear, files are missing or named twice,
        or an image has several labels.
    """
    root, is_folder = (path, True) if path.is_dir() else (path.parent, False)
    listed = _list_tables(root) if is_folder else [LabelTable(path, "", None)]
    files, tables = _tables_of(path, listed, spec)
    if not tables:
        raise DataError(
            say(
                "{path}: no table names the images. Looked for a column of which most values "
                "are names of image files below {root}; there are {num_paths:,}.",
                path=path,
                root=root,
                num_paths=len(files.paths),
            ),
            remedy=say(
                "Name the column with --image-column, or put the table into the folder of the "
                "images."
            ),
        )
    found, sentences = _Found([], [], [], []), []
    for table, sampled in tables:
        text = read_table(table.path, root if is_folder else None)
        assert text is not None
        # If they are unclear, this raises again.
        columns = sampled or find_columns(text, files, spec, table.near, table.split)
        assert columns is not None
        sentences.append(_describe(table, columns, root))
        _collect(found, table, columns, text, files, spec)
    if not found.paths:
        raise DataError(
            say("{path} lists no images.", path=path), remedy=say("Add a row for each image.")
        )
    _check_is_full(found.groups, spec.group_column, path)
    source = say("images listed in {path}", path=tables[0][0].path if len(tables) == 1 else path)
    reject_lists(found.labels, found.paths, source)
    named, said = name_classes(found.labels, tables[0][0].path)
    labels, unified = unify_labels(named, source)
    missing = {*found.paths} - {*files.paths}
    is_split = set(found.splits) != {"train"} and None not in found.splits
    entries = [
        Entry(
            name=name,
            label=label,
            read=partial(_read_missing, name, root)
            if name in missing
            else SourceFile(root / name, root),
            group=group,
            split_name=split if is_split else None,
        )
        for name, label, group, split in zip(
            found.paths, labels, found.groups, found.splits, strict=True
        )
    ]
    preparation = (
        *sentences,
        *said,
        *unified,
        *_describe_unnamed(files, found.paths if is_folder else ()),
    )
    return build_from_files(entries, spec, source=source, preparation=preparation)


def _read_missing(name: str, root: Path) -> bytes:
    # The name may be a path outside the folder.
    raise DataError(
        say("{name} is not in {root}.", name=name, root=root), remedy=say("Put it there.")
    )


def _list_tables(folder: Path) -> list[LabelTable]:
    """List what may be tables, in a folder and directly in its subfolders."""
    found = []
    inner = subfolders(folder)
    for place in [folder, *(each for each in inner if not each.is_symlink())]:
        near = "" if place == folder else place.name
        for file in sorted(place.iterdir(), key=lambda file: natural_key(file.name)):
            is_table = file.suffix.lower() in SUFFIXES and not is_hidden(file.name)
            # A contest's example of what to hand in names images, with labels that are made up.
            if is_table and "submission" not in file.name.casefold() and file.is_file():
                found.append(
                    LabelTable(file, near, find_split_word(file.stem) or find_split_word(near))
                )
    return found[:_MOST_TABLES]


def _tables_of(
    path: Path, listed: Sequence[LabelTable], spec: DataSpec
) -> tuple[NamedFiles, list[tuple[LabelTable, Columns | None]]]:
    """Find the tables that name images: with their columns, or None if the labels are unclear."""
    files = NamedFiles(path) if path.is_dir() else NamedFiles.beside(path)
    found: list[tuple[LabelTable, Columns | None]] = []
    for table in listed if files.paths else ():
        try:
            text = read_table(table.path, path if path.is_dir() else None, _SAMPLE_ROWS)
        # Some text that is no table; one that is read later raises the error again.
        except DataError:
            continue
        if text is None:
            continue
        try:
            columns = find_columns(text, files, spec, table.near, table.split)
        except DataError:
            found.append((table, None))
            continue
        if columns is not None:
            found.append((table, columns))
    # Of several tables, those without labels list the images of a test set, or describe something.
    if any(columns is not None for _, columns in found):
        found = [(table, columns) for table, columns in found if columns is not None]
    # The numbers in a list of classes may be the names of images, too.
    found = [each for each in found if not is_class_list(each[0].path)] or found
    # Columns of 0 and 1 beside tables with a column of labels tell something else of the images.
    if any(columns is not None and columns.label is not None for _, columns in found):
        found = [each for each in found if each[1] is not None and each[1].label is not None]
    return files, found


def _collect(
    found: _Found,
    table: LabelTable,
    columns: Columns,
    text: TextTable,
    files: NamedFiles,
    spec: DataSpec,
) -> None:
    """Add the images of one table."""
    lines: dict[str, str] = dict.fromkeys(found.paths, say("another table"))
    missing: list[Row] = []
    rows = columns.rows(text)
    labels = list(_read_labels(columns, rows, table.path))
    for row, label in zip(rows, labels, strict=True):
        place, name = (
            say("{path}, line {line}", path=table.path, line=row.line),
            row.cells[columns.image],
        )
        if not name or not label:
            raise DataError(
                say("{place}: {name} has no label.", place=place, name=shorten(name))
                if name
                else say("{place}: no file name.", place=place),
                remedy=say("Fill the cell, or remove the row."),
            )
        paths = files.find(name, table.near, table.split)
        if len(paths) > 1:
            raise DataError(
                say(
                    "{place}: {name} may be {paths}.",
                    place=place,
                    name=shorten(name),
                    paths=quote(paths, 3),
                ),
                remedy=say("Write the path of the file, relative to the table."),
            )
        if not paths:
            missing.append(row)
            if not spec.skip_unreadable:
                continue
        path = paths[0] if paths else name
        if path in lines:
            raise DataError(
                say(
                    "{place}: {path} was already listed in {lines}.",
                    place=place,
                    path=shorten(path),
                    lines=lines[path],
                ),
                remedy=say(
                    "List each image once. Several rows for one image, one for each object in "
                    "it, are not supported."
                ),
            )
        lines[path] = say("line {line}", line=row.line)
        found.paths.append(path)
        found.labels.append(label)
        found.groups.append(None if columns.group is None else row.cells[columns.group] or None)
        in_row = None if columns.split is None else find_split_word(row.cells[columns.split])
        found.splits.append(in_row if columns.split is not None else table.split)
    if missing and not spec.skip_unreadable:
        raise DataError(
            say(
                "{path} names {num_missing:,} files, of {num_rows:,}, that are not in "
                "{folder}, such as {cells} in line {line}.",
                path=table.path,
                num_missing=len(missing),
                num_rows=len(rows),
                folder=files.folder,
                cells=shorten(missing[0].cells[columns.image]),
                line=missing[0].line,
            ),
            remedy=say(
                "Put the files there, remove the rows, or leave them out (--skip-unreadable)."
            ),
        )


def _read_labels(columns: Columns, rows: Sequence[Row], path: Path) -> Iterator[str]:
    if columns.label is not None:
        yield from (row.cells[columns.label] for row in rows)
        return
    chosen = [[columns.names[k] for k in columns.one_hot if is_one(row.cells[k])] for row in rows]
    several = [k for k, names in enumerate(chosen) if len(names) > 1]
    if several:
        row, names = rows[several[0]], chosen[several[0]]
        example = say("{cells} has {names}", cells=row.cells[columns.image], names=quote(names))
        raise several_labels(str(path), len(several), len(rows), example)
    none = [k for k, names in enumerate(chosen) if not names]
    if none:
        row = rows[none[0]]
        raise DataError(
            say(
                "{path}: {number:,} of {num_rows:,} rows have 0 in every class, such as "
                "{cells} in line {line}.",
                path=path,
                number=len(none),
                num_rows=len(rows),
                cells=row.cells[columns.image],
                line=row.line,
            ),
            remedy=say("Add a column for images of no class, or remove these rows."),
        )
    yield from (names[0] for names in chosen)


def _check_is_full(groups: Sequence[str | None], column: str, path: Path) -> None:
    if None in groups and any(groups):
        raise DataError(
            say(
                "{path}: {count:,} images have no {column}, but others have.",
                path=path,
                count=groups.count(None),
                column=column,
            ),
            remedy=say(
                "Fill the column {column!r} in every row, or remove the column.", column=column
            ),
        )


def _describe(table: LabelTable, columns: Columns, root: Path) -> str:
    place = os.path.relpath(table.path, root).replace("\\", "/")
    labels = (
        say("labels in {names!r}", names=columns.names[columns.label])
        if columns.label is not None
        else say("a column for each of {num_one_hot} classes", num_one_hot=len(columns.one_hot))
    )
    more = (
        ""
        if columns.split is None
        else say(", splits in {names!r}", names=columns.names[columns.split])
    )
    return say(
        "{place}: images in the column {names!r}, {labels}{more}.",
        place=place,
        names=columns.names[columns.image],
        labels=labels,
        more=more,
    )


def _describe_unnamed(files: NamedFiles, named: Sequence[str]) -> tuple[str, ...]:
    known = set(named)
    unnamed = [path for path in files.paths if path not in known] if named else []
    if not unnamed:
        return ()
    return (
        say_count(
            "{number:,} image without a label left out, such as {unnamed}; give them to predict.",
            "{number:,} images without a label left out, such as {unnamed}; give them to predict.",
            len(unnamed),
            unnamed=unnamed[0],
        ),
    )
