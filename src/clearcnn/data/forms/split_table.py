"""Labels of one split in a table beside its flat images, while other splits have class folders.

Such as `Final_Test/Images/GT-final_test.csv` of the German traffic signs, with semicolons.
"""

from collections import defaultdict
from pathlib import Path

from clearcnn.data.forms.folder_tree import FolderTree
from clearcnn.data.label_tables.columns import Columns, find_columns
from clearcnn.data.label_tables.delimited import SUFFIXES, read_table
from clearcnn.data.label_tables.named_files import NamedFiles
from clearcnn.data.natural_sort import sort_naturally
from clearcnn.errors import DataError
from clearcnn.language import say, say_count
from clearcnn.specs import DataSpec

_SAMPLE_ROWS = 201


def find_split_table(split: FolderTree) -> Path | None:
    """Find a table whose labels are clear, beside the images of a split that are in one folder."""
    inside = split
    while not inside.images and len(inside.filled) == 1:
        inside = inside.filled[0]
    if not inside.images or inside.filled:
        return None
    candidates = [path for path in inside.others if path.suffix.lower() in SUFFIXES]
    files = NamedFiles(inside.path, inside.images) if candidates else None
    for path in candidates:
        try:
            columns = None if files is None else _columns_of(path, files, _SAMPLE_ROWS)
        except DataError:  # It is no table, or it is unclear which column has the labels.
            continue
        if columns is not None and columns.label is not None and columns.is_certain:
            return path
    return None


def read_split_table(table: Path, split: FolderTree, notes: list[str]) -> dict[str, list[Path]]:
    """Read class name → its images, in natural order.

    Args:
      table: as `find_split_table` gives it.
      split: the folder of the images, at any depth.
      notes: where it is said which columns were read, and that images are not listed.
    Raises:
      DataError: a row has no label, or an image is missing or listed twice.
    """
    files = NamedFiles(table.parent, [p for p in split.all_images() if p.parent == table.parent])
    columns, text = _columns_of(table, files, None), read_table(table, table.parent)
    assert columns is not None
    assert columns.label is not None
    assert text is not None
    left = set(files.paths)
    classes: dict[str, list[Path]] = defaultdict(list)
    for row in columns.rows(text):
        name, label = row.cells[columns.image], row.cells[columns.label]
        found = files.find(name)
        if len(found) != 1 or found[0] not in left or not label:
            fault = say("no label") if not label else say("no such image, or it is listed twice")
            raise DataError(
                say(
                    "{table}, line {line}: {name}: {fault}.",
                    table=table,
                    line=row.line,
                    name=name[:100],
                    fault=fault,
                ),
                remedy=say("Correct the row: each image once, with its label."),
            )
        left.remove(found[0])
        classes[label].append(table.parent / found[0])
    names = columns.names
    notes.append(
        say(
            "{name}: images in the column {image_column!r}, labels in {label_column!r}.",
            name=table.name,
            image_column=names[columns.image],
            label_column=names[columns.label],
        )
    )
    if left:
        count = say_count("{number:,} image", "{number:,} images", len(left))
        notes.append(
            say(
                "Left out {count} that {name} does not list, such as {left}.",
                count=count,
                name=table.name,
                left=min(left),
            )
        )
    return {label: classes[label] for label in sort_naturally(classes)}


def _columns_of(path: Path, files: NamedFiles, most_rows: int | None) -> Columns | None:
    text = read_table(path, files.folder, most_rows)
    return None if text is None else find_columns(text, files, DataSpec(), "", None)
