"""Folders at any depth, each of which is a class named by its path, such as Greek/character01.

Only the prefix states this form: it looks like class folders with subfolders.
"""

from pathlib import Path

from clearcnn.data.build_dataset import build_from_files
from clearcnn.data.classes import normal_form, quote
from clearcnn.data.forms.folder import describe_ignored
from clearcnn.data.forms.folder_tree import list_tree
from clearcnn.data.image_files import Entry
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.natural_sort import sort_naturally
from clearcnn.data.safe_files import SourceFile
from clearcnn.data.split_names import parse_split_folders
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.specs import DataSpec


def recognise(_: Path) -> bool:
    """Never: the user states it."""
    return False


def read(folder: Path, spec: DataSpec) -> LabelledImages:
    """Read every folder that has images directly in it as a class.

    Raises:
      DataError: it is not a folder, or has no folders with images, or an image cannot be read.
    """
    if not folder.is_dir():
        raise DataError(
            say("{folder} is not a folder.", folder=folder),
            remedy=say("Name the folder above the classes."),
        )
    tree = list_tree(folder)
    splits = parse_split_folders(each.name for each in tree.filled)
    if len({*splits.values()}) > 1:
        raise DataError(
            say(
                "{folder}: {splits} are named after splits, not parts of the names of classes.",
                folder=folder,
                splits=quote(splits),
            ),
            remedy=say(
                "Name one of them: subfolders:{folder}.", folder=folder / next(iter(splits))
            ),
        )
    images = {
        normal_form(each.path.relative_to(folder).as_posix()): each.images
        for each in tree.all_folders()
        if each.images
    }
    if not images:
        raise DataError(
            say("{folder} has no folders with images.", folder=folder),
            remedy=say("Name the folder above the classes."),
        )
    entries = [
        Entry(
            name=path.relative_to(folder).as_posix(),
            label=class_name,
            read=SourceFile(path, folder),
        )
        for class_name, paths in images.items()
        for path in paths
    ]
    return build_from_files(
        entries,
        spec,
        source=say("folders in {folder}", folder=folder),
        known=sort_naturally(images),
        preparation=describe_ignored(tree.all_others(), folder),
    )
