"""Labels of one split in a table beside its folder of images, as Tiny ImageNet has them.

Source: Stanford CS231n, Tiny ImageNet: `val/val_annotations.txt`, whose columns, without a header
and separated by tabs, are the file name, the class, and four numbers of a bounding box.
"""

from collections import defaultdict
from pathlib import Path

from clearcnn.data.classes import normal_form, quote, shorten
from clearcnn.data.forms.folder_tree import FolderTree
from clearcnn.data.forms.split_table import find_split_table, read_split_table
from clearcnn.data.natural_sort import sort_naturally
from clearcnn.data.tables import open_text, read_lines
from clearcnn.errors import DataError
from clearcnn.language import say, say_count

_NAME = "_annotations.txt"


def find_annotations(split: FolderTree) -> Path | None:
    """Find the table of a split; None without one."""
    own = next((path for path in split.others if path.name.endswith(_NAME)), None)
    return own or find_split_table(split)


def read_annotations(
    table: Path, split: FolderTree, tree: FolderTree, notes: list[str]
) -> dict[str, list[Path]]:
    """Read class name → its images, in natural order.

    Args:
      table: as `find_annotations` gives it.
      split: the folder of the table and of its images, at any depth.
      tree: the folder that the user named.
      notes: where it is said that images are not listed.
    Raises:
      DataError: a line has no tab, or a listed image is missing or listed twice.
    """
    if not table.name.endswith(_NAME):
        return read_split_table(table, split, notes)
    images = {path.name: path for path in split.all_images()}
    classes: dict[str, list[Path]] = defaultdict(list)
    with open_text(table, tree.path) as text:
        for number, line in enumerate(read_lines(text, table), 1):
            if not line.strip():
                continue
            name, _, rest = line.rstrip("\r\n").partition("\t")
            label = normal_form(rest.partition("\t")[0].strip())
            path = images.pop(name, None)
            if path is None or not label:
                fault = (
                    say("no label")
                    if path is not None
                    else say("no such image, or it is listed twice")
                )
                raise DataError(
                    say(
                        "{table}, line {number}: {name}: {fault}.",
                        table=table,
                        number=number,
                        name=shorten(name),
                        fault=fault,
                    ),
                    remedy=say("Write the file name, a tab and the class, each image once."),
                )
            classes[label].append(path)
    if images:
        count = say_count("{number:,} image", "{number:,} images", len(images))
        notes.append(
            say(
                "Left out {count} that {name} does not list, such as {example}.",
                count=count,
                name=table.name,
                example=quote(images, 1),
            )
        )
    return {label: classes[label] for label in sort_naturally(classes)}
