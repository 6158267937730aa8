"""A folder of class folders, with or without train, validation and test folders above them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clearcnn.data.build_dataset import build_from_files
from clearcnn.data.forms.folder_layout import lay_out
from clearcnn.data.forms.folder_tree import list_tree
from clearcnn.data.image_files import Entry
from clearcnn.data.labelled_images import SPLIT_NAMES, LabelledImages
from clearcnn.data.natural_sort import natural_key
from clearcnn.data.safe_files import SourceFile, is_hidden, reject_folder_link
from clearcnn.data.split_names import parse_split_folders
from clearcnn.errors import DataError
from clearcnn.language import say, say_count
from clearcnn.specs import DataSpec

_PREFIX = "folder:"


@dataclass
class FolderContent:
    """The files in a folder and its subfolders.

    Attributes:
      images: files with the suffix of an image format, in natural order.
      ignored: other files, without those of the operating system.
    """

    images: list[Path] = field(default_factory=list)
    ignored: list[Path] = field(default_factory=list)


def recognise(path: Path) -> bool:
    """Whether it is a folder."""
    return path.is_dir()


def read(folder: Path, spec: DataSpec) -> LabelledImages:
    """Read class folders; subfolders of a class folder belong to its class.

    Raises:
      DataError: there are no class folders, the folders could mean several things, the training set
        lacks a class, a class to train on is empty, or an image cannot be read.
    """
    tree = list_tree(folder)
    layout = lay_out(
        tree,
        as_stated=spec.source.startswith(_PREFIX),
        may_be_empty=not spec.for_training,
    )
    entries = [
        Entry(
            name=path.relative_to(folder).as_posix(),
            label=class_name,
            read=SourceFile(path, folder),
            split_name=split,
        )
        for split, classes in layout.splits.items()
        for class_name, paths in classes.items()
        for path in paths
    ]
    return build_from_files(
        entries,
        spec,
        source=say("class folders in {folder}", folder=folder),
        known=layout.class_names,
        preparation=(*layout.notes, *describe_ignored(layout.ignored, folder)),
    )


def walk_images(folder: Path) -> FolderContent:
    """Find all files in a folder and its subfolders; a link to a folder raises a DataError."""
    tree = list_tree(folder)
    return FolderContent(tree.all_images(), tree.all_others())


def describe_ignored(ignored: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """Describe files that are not images in one sentence, if there are any."""
    if not ignored:
        return ()
    example = ignored[0].relative_to(folder).as_posix()
    return (
        say_count(
            "{number:,} file that is not an image was ignored, such as {example}.",
            "{number:,} files that are not images were ignored, such as {example}.",
            len(ignored),
            example=example,
        ),
    )


def split_folders(folder: Path, counts: Callable[[Path], object]) -> dict[str, Path]:
    """Find the folders named after a split, in the order train, validation, test.

    Args:
      folder: the folder above them.
      counts: whether a folder so named counts, such as one that has a table in it.
    Raises:
      DataError: two of them stand for the same split, or one is a link.
    """
    found: dict[str, Path] = {}
    inside = subfolders(folder)
    named = parse_split_folders(path.name for path in inside)
    for path in inside:
        split = named.get(path.name)
        if split is None:
            continue
        reject_folder_link(path)
        if not counts(path):
            continue
        if split in found:
            raise DataError(
                say(
                    "{folder}: the folders {name!r} and {other_name!r} both stand for the "
                    "{split} set.",
                    folder=folder,
                    name=found[split].name,
                    other_name=path.name,
                    split=split,
                ),
                remedy=say("Keep one of them."),
            )
        found[split] = path
    return {split: found[split] for split in SPLIT_NAMES if split in found}


def subfolders(folder: Path) -> list[Path]:
    """List the folders directly in a folder, in natural order, without hidden ones."""
    inside = [p for p in folder.iterdir() if p.is_dir() and not is_hidden(p.name)]
    return sorted(inside, key=lambda path: natural_key(path.name))
