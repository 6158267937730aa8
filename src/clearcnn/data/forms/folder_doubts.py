"""Folders that could mean several things: how they are noticed, and the errors that say so."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from clearcnn.data.class_in_name import suggest
from clearcnn.data.classes import normal_form, quote
from clearcnn.data.forms.folder_tree import FolderTree
from clearcnn.data.labelled_images import SPLIT_NAMES
from clearcnn.data.safe_files import describe_content
from clearcnn.data.split_names import differ_in_numbers
from clearcnn.errors import DataError
from clearcnn.language import say, say_count
from clearcnn.spelling import did_you_mean

_ARCHIVES = frozenset([".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz"])
_TABLES = frozenset(
    [
        *(".csv", ".tsv", ".json", ".jsonl", ".txt", ".xlsx", ".xls", ".xml", ".yaml", ".yml"),
        *(".npy", ".npz", ".mat", ".h5"),
    ]
)

# Words of folders of masks, and what the names of masks may end in.
_MASKS = frozenset(
    [
        *("mask", "masks", "annotation", "annotations", "segmentation", "segmentations", "seg"),
        *("groundtruth", "truth", "gt", "label", "labels", "trimap", "trimaps", "bitmaps"),
    ]
)
_MASK_ENDINGS = ("_mask", "-mask", "_masks", "_seg", "_segmentation", "_gt", "_label", "_labels")
_WORD = re.compile(r"[a-z]+")
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.0*)?")


def same_name(name: str) -> str:
    """Return what two spellings of one class name have in common.

    These are the letters without case, blanks and Unicode form, or the value of a whole number.
    Single letters keep their case: "a" and "A" are two characters to recognise.
    """
    name = normal_form(" ".join(name.split()))
    if _NUMBER.fullmatch(name):
        return str(int(name.partition(".")[0]))
    return name if len(name) == 1 else name.casefold()


def reject_twins(root: FolderTree) -> None:
    """Raise a DataError if two class folders have one name in two spellings."""
    seen: dict[str, str] = {}
    for folder in root.folders:
        if (twin := seen.setdefault(same_name(folder.name), folder.name)) != folder.name:
            if _NUMBER.fullmatch(normal_form(" ".join(folder.name.split()))):
                what, them = say("number"), say("spellings")
            elif normal_form(twin) == normal_form(folder.name):
                what, them = say("name"), say("Unicode forms")
            else:
                what, them = say("name"), say("spellings, which differ only in case or blanks")
            raise DataError(
                say(
                    "{path}: the class folders {other_name!a} and {name!a} are the same {what} in "
                    "two {spellings}.",
                    path=root.path,
                    other_name=twin,
                    name=folder.name,
                    what=what,
                    spellings=them,
                ),
                remedy=say("Put the images of both into one of them."),
            )


def has_names_of(folder: FolderTree, siblings: Sequence[FolderTree]) -> bool:
    """Whether a folder contains folders of the same names as all its siblings."""
    return {each.name for each in folder.filled} == {sibling.name for sibling in siblings}


def has_copies_of(folder: FolderTree, siblings: Sequence[FolderTree]) -> bool:
    """Whether the files in them are the same, too.

    Archives that double themselves look like this: `cells/Infected` and `cells/cells/Infected`.
    """
    inside = {each.name: each for each in folder.filled}
    return has_names_of(folder, siblings) and all(
        _files(inside[sibling.name]) == _files(sibling) for sibling in siblings
    )


def _files(tree: FolderTree) -> set[tuple[Path, int]]:
    return {(path.relative_to(tree.path), path.lstat().st_size) for path in tree.all_images()}


def reject_other_copy(folder: FolderTree, siblings: Sequence[FolderTree], root: FolderTree) -> None:
    """Raise a DataError: a folder repeats the names of its siblings, but not their files."""
    raise DataError(
        say(
            "{path}: the folder {name!r} contains folders named as those beside it, {quote}, "
            "but with other files.",
            path=root.path,
            name=folder.name,
            quote=quote(sibling.name for sibling in siblings),
        ),
        remedy=say(
            "Move it elsewhere; or name it, {path}; or, if it is a class, put folder: before "
            "the path.",
            path=root.path / folder.name,
        ),
    )


def reject_versions(folders: Sequence[FolderTree], root: FolderTree) -> None:
    """Raise a DataError if several class folders have mostly subfolders of the same names.

    Then they are splits, or versions of one data set, or the subfolders are the classes. One
    subfolder that all have, such as `images`, says nothing.
    """
    inside = {folder.name: {each.name for each in folder.filled} for folder in folders}
    counts = Counter(name for names in inside.values() for name in names)
    shared = {name for name, count in counts.items() if count > 1}
    alike = [
        name
        for name, names in inside.items()
        if len(names & shared) > 1 and 2 * len(names & shared) > len(names)
    ]
    if len(alike) < 2:
        return
    examples = sorted(inside[alike[0]] & shared)
    raise DataError(
        say(
            "{path}: the folders {folders} have subfolders of the same names, such as "
            "{examples}. They may be splits, versions of one data set, or classes.",
            path=root.path,
            folders=quote(alike),
            examples=quote(examples, 3),
        ),
        remedy=say(
            "Name one version, such as {path}; or rename splits to {split_names}; or, if "
            "{folder!r} is a class, put folder: before the path; or, if {folder}/{subfolder} is "
            "one, subfolders:.",
            path=root.path / alike[0],
            split_names=", ".join(SPLIT_NAMES),
            folder=alike[0],
            subfolder=examples[0],
        ),
    )


def reject_masks(folders: Sequence[FolderTree], root: FolderTree) -> None:
    """Raise a DataError if a folder has a mask for each image of another one, by its name."""
    stems = {folder.name: {path.stem for path in folder.all_images()} for folder in folders}
    for mask in folders:
        if not _MASKS.intersection(_WORD.findall(mask.name.casefold())):
            continue
        for images in folders:
            if images is not mask and _have_masks(stems[images.name], stems[mask.name]):
                raise DataError(
                    say(
                        "{path}: {name!r} has a file for each image of {other_name!r}, as the "
                        "masks of a segmentation do. They are not classes.",
                        path=root.path,
                        name=mask.name,
                        other_name=images.name,
                    ),
                    remedy=say(
                        "clearcnn learns one class for each image. {all_images}Sort the "
                        "images into folders named after classes, or write metadata.csv with "
                        "the columns file_name and label; or, if these are the classes, put "
                        "folder: before the path.",
                        all_images=suggest(images.all_images(), images.path),
                    ),
                )


def _have_masks(images: set[str], masks: set[str]) -> bool:
    """Whether most masks are named as an image is, perhaps with a word more: `1`, `1_mask`."""
    found = sum(
        mask in images or any(mask.removesuffix(end) in images for end in _MASK_ENDINGS)
        for mask in masks
    )
    return len(masks) > 1 and 2 * found > len(masks)


def reject_flat_splits(likely: Sequence[FolderTree], top: FolderTree, tree: FolderTree) -> None:
    """Raise a DataError: folders named after splits have no class folders."""
    raise DataError(
        say(
            "{path}: {quote} are named after splits, but have no class folders in "
            "them.{tables_hint}",
            path=top.path,
            quote=quote(folder.name for folder in likely),
            tables_hint=name_tables((top, *likely), tree),
        ),
        remedy=say(
            "{likely}Write metadata.csv with the columns file_name, label and split; or, if "
            "these are the classes, put folder: before the path.",
            likely=_suggest_names(likely, tree),
        ),
    )


def _suggest_names(folders: Sequence[FolderTree], tree: FolderTree) -> str:
    said = (suggest(folder.all_images(), tree.path) for folder in folders)
    return next(filter(None, said), "")


def reject_folders_without_class(top: FolderTree, tree: FolderTree, *, may_be_single: bool) -> None:
    """Raise a DataError if the names of the folders only number them, as `images_1` does.

    Or if there is one folder, and a table beside it.
    """
    names = [folder.name for folder in top.filled]
    tables = name_tables((top, *top.filled), tree)
    suggested = "" if len(names) > 1 else _suggest_names(top.filled, tree)
    numbered = len(names) > 1 and differ_in_numbers(names)
    alone = len(names) == 1 and not top.filled[0].filled and not may_be_single
    if numbered or (alone and (tables or suggested)):
        raise DataError(
            say_count(
                "{path}: {names} is not named after a class.{tables}",
                "{path}: {names} are not named after classes.{tables}",
                2 if numbered else 1,
                path=top.path,
                names=quote(names, 3),
                tables=tables,
            ),
            remedy=say(
                "{suggested}Write metadata.csv with the columns file_name and label; or, if "
                "{condition}, put folder: before the path.",
                suggested=suggested,
                condition=say("these are the classes") if numbered else say("it is one"),
            ),
        )


def reject_lone_folder(only: FolderTree, root: FolderTree, tree: FolderTree) -> None:
    """Raise a DataError: the folders beside the only one with images may have its labels."""
    raise DataError(
        say(
            "{path}: only the folder {name!r} has images, so there are no classes.{tables_hint}",
            path=root.path,
            name=only.name,
            tables_hint=name_tables([root, *root.all_folders()], tree),
        ),
        remedy=say(
            "{all_images}Write metadata.csv with the columns file_name and label, one class "
            "for each image.",
            all_images=suggest(only.all_images(), only.path),
        ),
    )


def reject_empty(root: FolderTree) -> None:
    """Raise a DataError: there are no class folders, and no other form."""
    packed = [path for path in root.others if path.suffix.lower() in _ARCHIVES]
    if root.images:
        count = say_count("{number:,} image", "{number:,} images", len(root.images))
        raise DataError(
            say(
                "{path} contains {count}, but no class folders, and no table that names "
                "them.{tables_hint}",
                path=root.path,
                count=count,
                tables_hint=name_tables([root], root),
            ),
            remedy=say(
                "{hint}Put the images of each class into a folder named after the class, or "
                "write metadata.csv with the columns file_name and label.",
                hint=suggest(root.images, root.path),
            ),
        )
    raise DataError(
        say(
            "{path}: no class folders with images found. Looked for metadata.csv, "
            "metadata.jsonl, IDX files, Parquet files, and class folders; found "
            "{found}.{tables_hint}",
            path=root.path,
            found=describe_content(root.path),
            tables_hint=name_tables([root], root),
        ),
        remedy=say("Name the archive itself: {packed}.", packed=packed[0])
        if packed
        else say("Put the images of each class into a folder named after the class."),
    )


def name_tables(folders: Sequence[FolderTree], tree: FolderTree) -> str:
    """Name the tables beside images, which may have their labels, in a sentence."""
    tables = [
        path.relative_to(tree.path).as_posix()
        for folder in folders
        for path in folder.others
        if path.suffix.lower() in _TABLES and not path.name.lower().startswith("readme")
    ]
    return say(" The labels may be in {tables}.", tables=quote(tables, 3)) if tables else ""


def reject_stranger(folder: FolderTree, splits: Sequence[FolderTree], top: FolderTree) -> None:
    """Raise a DataError: a folder with images lies beside the splits, and is none of them."""
    raise DataError(
        say(
            "{path}: the folder {name!r} contains images, but is none of the split folders "
            "{quote}.",
            path=top.path,
            name=folder.name,
            quote=quote(split.name for split in splits),
        ),
        remedy=say(
            "{suggestion}Move it into a split folder, or elsewhere; or, if all of them are "
            "classes, put folder: before the path.",
            suggestion=did_you_mean(folder.name, SPLIT_NAMES),
        ),
    )
