"""The class is in the name of the file: `cat.0.jpg`, `Abyssinian_12.jpg`.

Only the prefix states this form, since names may begin with a camera or a patient as well.
"""

from pathlib import Path

from clearcnn.data.build_dataset import build_from_files
from clearcnn.data.class_in_name import read_class
from clearcnn.data.forms.folder import describe_ignored
from clearcnn.data.forms.folder_tree import FolderTree, list_tree
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
    """Read images whose names are a class and a number.

    Folders named after splits are splits; a folder in which no name has a class is left out.

    Raises:
      DataError: it is not a folder, a name has no class, or an image cannot be read.
    """
    if not folder.is_dir():
        raise DataError(
            say("{folder} is not a folder.", folder=folder),
            remedy=say("Name the folder of the images."),
        )
    tree = list_tree(folder)
    named = parse_split_folders(each.name for each in tree.filled)
    parts: list[tuple[str | None, FolderTree]] = [
        (named.get(each.name), each) for each in tree.filled
    ]
    notes, entries, used = [], [], []
    for split, part in [*parts, (None, FolderTree(folder, [*tree.images]))]:
        images = part.all_images()
        classes = [read_class(path) for path in images]
        if images and not any(classes):
            notes.append(
                say(
                    "Left out {num_images:,} images without a class in their names, such as "
                    "{example}; give them to predict.",
                    num_images=len(images),
                    example=images[0].relative_to(folder).as_posix(),
                )
            )
            continue
        if None in classes:
            raise DataError(
                say(
                    "{name} has no class in its name; expected letters and a number, such "
                    "as cat.12.jpg.",
                    name=images[classes.index(None)],
                ),
                remedy=say("Rename it, or move it elsewhere."),
            )
        used += [split] if images else []
        entries += [
            Entry(
                path.relative_to(folder).as_posix(),
                str(label),
                SourceFile(path, folder),
                split_name=split,
            )
            for path, label in zip(images, classes, strict=True)
        ]
    if len(set(used)) < 2 or None in used:
        entries = [Entry(each.name, each.label, each.read) for each in entries]
    return build_from_files(
        entries,
        spec,
        source=say("images named after classes in {folder}", folder=folder),
        known=sort_naturally({str(each.label) for each in entries}),
        preparation=(*notes, *describe_ignored(tree.all_others(), folder)),
    )
