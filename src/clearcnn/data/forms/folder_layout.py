"""What the folders of a tree stand for: splits, classes, or neither.

A layout that could mean two things is an error that says how to state which.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from clearcnn.data.classes import normal_form, quote
from clearcnn.data.forms.folder_doubts import (
    has_copies_of,
    has_names_of,
    name_tables,
    reject_empty,
    reject_flat_splits,
    reject_folders_without_class,
    reject_lone_folder,
    reject_masks,
    reject_other_copy,
    reject_stranger,
    reject_twins,
    reject_versions,
    same_name,
)
from clearcnn.data.forms.folder_tree import FolderTree
from clearcnn.data.forms.split_lists import split_by_lists
from clearcnn.data.forms.val_annotations import find_annotations, read_annotations
from clearcnn.data.labelled_images import SPLIT_NAMES
from clearcnn.data.natural_sort import sort_naturally
from clearcnn.data.split_names import is_filler, is_unlabelled_name, parse_split_folders
from clearcnn.errors import DataError
from clearcnn.language import say, say_count

Classes = dict[str, list[Path]]


@dataclass
class Layout:
    """The meaning of a tree of folders.

    Attributes:
      splits: split name, or None without splits → class name → its images; classes in natural
        order.
      notes: what was decided, one sentence each.
      ignored: the files in class folders that are not images.
    """

    splits: dict[str | None, Classes] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    ignored: list[Path] = field(default_factory=list)

    @property
    def class_names(self) -> list[str]:
        """The classes of the training set, or of all splits without one."""
        if "train" in self.splits:
            return list(self.splits["train"])
        return sort_naturally({name for classes in self.splits.values() for name in classes})


def lay_out(tree: FolderTree, *, as_stated: bool, may_be_empty: bool) -> Layout:
    """Decide what the folders of a tree stand for.

    Args:
      tree: the folder that the user named.
      as_stated: whether the user has stated that these are class folders, so that a doubt about it
        is no error.
      may_be_empty: whether a class folder may be empty.
    Raises:
      DataError: there are no class folders, a training class is empty, or the folders could mean
        several things.
    """
    layout = Layout()
    top = _enter_to_splits(tree)
    if top is not tree:
        layout.notes.append(
            say("Read the folder {top}, the only one with images.", top=_place(top, tree))
        )
    splits = _find_splits(top, tree, layout, as_stated)
    if not splits:
        if not as_stated:
            reject_folders_without_class(top, tree, may_be_single=may_be_empty)
        classes = _find_classes(top, tree, layout, as_stated, may_be_empty)
        layout.splits, said = split_by_lists(classes, tree)
        layout.notes += said
        return layout
    _leave_out_stray(top, tree, layout)
    for split_name, split in splits.items():
        if (annotations := find_annotations(split)) is not None:
            layout.splits[split_name] = read_annotations(annotations, split, tree, layout.notes)
        else:
            layout.splits[split_name] = _find_classes(
                _enter_split(split), tree, layout, as_stated, may_be_empty or split_name != "train"
            )
    return _with_same_classes(layout, splits, tree)


def _enter(tree: FolderTree, *, past_splits: bool = True) -> FolderTree:
    """Go down while there is one folder with images and nothing else, if several follow."""
    inside = tree
    while not inside.images and len(inside.filled) == 1:
        only = inside.filled[0]
        if not past_splits and only.filled and parse_split_folders([only.name]):
            return inside
        inside = only
    return inside if len(inside.filled) > 1 else tree


def _enter_to_splits(tree: FolderTree) -> FolderTree:
    return _enter(tree, past_splits=False)


def _enter_split(split: FolderTree) -> FolderTree:
    """Go down to the class folders of a split, of which there may be one."""
    inside = _enter(split)
    while not inside.images and len(inside.filled) == 1:
        only = inside.filled[0]
        if not only.filled or not _says_nothing(only, inside):
            break
        inside = only
    return inside


def _says_nothing(only: FolderTree, above: FolderTree) -> bool:
    return only.name == above.name or is_filler(only.name)


def _find_splits(
    top: FolderTree, tree: FolderTree, layout: Layout, as_stated: bool
) -> dict[str, FolderTree]:
    """Find the folders named after a split that have labels, in the order train, validation, test.

    Without class folders in them they are classes: one may be named "train".
    """
    named = parse_split_folders(folder.name for folder in top.folders)
    likely = [folder for folder in top.filled if folder.name in named]
    labelled = [folder for folder in likely if _has_labels(folder)]
    others = [folder for folder in top.filled if folder not in likely]
    if not labelled:
        if not as_stated and (len({named[f.name] for f in likely}) > 1 or (likely and not others)):
            reject_flat_splits(likely, top, tree)
        return {}
    found: dict[str, FolderTree] = {}
    for folder in labelled:
        split = named[folder.name]
        if split in found:
            raise DataError(
                say(
                    "{path}: the folders {name!r} and {other_name!r} both stand for the {split} "
                    "set.",
                    path=top.path,
                    name=found[split].name,
                    other_name=folder.name,
                    split=split,
                ),
                remedy=say("Keep one of them."),
            )
        found[split] = folder
    unlabelled = [folder for folder in likely if folder not in labelled]
    copies = []
    for folder in others:
        if has_copies_of(_enter(folder), [*found.values()]):
            copies.append(folder)
        elif len({named[each.name] for each in likely}) > 1 and not _has_labels(folder):
            unlabelled.append(folder)
        elif as_stated:
            return {}
        else:
            reject_stranger(folder, [*found.values()], top)
    for folder in copies:
        _leave_out_copy(folder, tree, layout)
    for folder in unlabelled:
        _leave_out(folder, tree, layout)
    return {split: found[split] for split in SPLIT_NAMES if split in found}


def _has_labels(folder: FolderTree) -> bool:
    """Whether there are class folders in a folder, or a table of labels.

    There are none in `test/1.png`, `test/images/1.png` or `test/test/1.png`.
    """
    if find_annotations(folder) is not None:
        return True
    inside = folder
    while not inside.images and len(inside.filled) == 1:
        only = inside.filled[0]
        if not _says_nothing(only, inside):
            return True
        inside = only
    return len(inside.filled) > 1


def _leave_out(folder: FolderTree, tree: FolderTree, layout: Layout) -> None:
    layout.notes.append(
        say(
            "Left out {num_images} without labels in the folder {folder}; give them to "
            "predict.{tables_hint}",
            num_images=_count(folder.num_images),
            folder=_place(folder, tree),
            tables_hint=name_tables([folder, *folder.all_folders()], tree),
        )
    )


def _leave_out_stray(folder: FolderTree, tree: FolderTree, layout: Layout) -> None:
    if stray := folder.images:
        layout.notes.append(
            say(
                "Left out {images} without a label, outside the class folders, such as "
                "{example}; give them to predict.",
                images=_count(len(stray)),
                example=stray[0].relative_to(tree.path).as_posix(),
            )
        )


def _leave_out_copy(folder: FolderTree, tree: FolderTree, layout: Layout) -> None:
    layout.notes.append(
        say(
            "Left out the folder {folder}, which has the same files again.",
            folder=_place(folder, tree),
        )
    )


def _find_classes(
    root: FolderTree, tree: FolderTree, layout: Layout, as_stated: bool, may_be_empty: bool
) -> Classes:
    """Find class name → images in its folder, in natural order."""
    folders = root.filled
    if not folders:
        reject_empty(root)
    reject_twins(root)
    if not as_stated:
        for folder in root.filled:
            siblings = [other for other in folders if other is not folder]
            if len(siblings) > 1 and has_copies_of(_enter(folder), siblings):
                folders = siblings
                _leave_out_copy(folder, tree, layout)
            elif len(siblings) > 1 and has_names_of(_enter(folder), siblings):
                reject_other_copy(folder, siblings, root)
            elif len(siblings) > 1 and is_unlabelled_name(folder.name):
                folders = siblings
                _leave_out(folder, tree, layout)
        reject_versions(folders, root)
        reject_masks(folders, root)
    empty = [folder.name for folder in root.folders if not folder.num_images]
    if empty and root is tree and not may_be_empty and len(folders) == 1 and not folders[0].filled:
        reject_lone_folder(folders[0], root, tree)
    if empty and not may_be_empty:
        raise DataError(
            say(
                "{path}: no images in the class folder {empty}.", path=root.path, empty=quote(empty)
            ),
            remedy=say("Put images into it, or remove it."),
        )
    _leave_out_stray(root, tree, layout)
    _note_subfolders(folders, tree, layout)
    kept = [*folders, *(folder for folder in root.folders if not folder.num_images)]
    layout.ignored += [path for folder in kept for path in folder.all_others()]
    images = {normal_form(folder.name): folder.all_images() for folder in kept}
    return {name: images[name] for name in sort_naturally(images)}


def _note_subfolders(folders: Sequence[FolderTree], tree: FolderTree, layout: Layout) -> None:
    """Say that what lies deeper belongs to the class above, where it could be a class itself."""
    deeper = [inside for folder in folders if len(folder.filled) > 1 for inside in folder.filled]
    if deeper:
        example = deeper[0]
        layout.notes.append(
            say(
                "Images in {number:,} subfolders of class folders belong to the class "
                "above, such as those in {example} to {name!r}; the prefix subfolders: makes "
                "every subfolder a class.",
                number=len(deeper),
                example=_place(example, tree),
                name=example.path.parent.name,
            )
        )


def _with_same_classes(
    layout: Layout, splits: Mapping[str, FolderTree], tree: FolderTree
) -> Layout:
    """Give a class one name in all splits, and check that the training set has all of them."""
    by_key: dict[str, str] = {}
    for split_name, classes in layout.splits.items():
        renamed = [name for name in classes if by_key.setdefault(same_name(name), name) != name]
        if renamed:
            spelt = by_key[same_name(renamed[0])]
            layout.notes.append(
                say(
                    "The class {renamed!r} of the {split_name} set is the class {class_name!r}.",
                    renamed=renamed[0],
                    split_name=split_name,
                    class_name=spelt,
                )
            )
        layout.splits[split_name] = {
            by_key[same_name(name)]: paths for name, paths in classes.items()
        }
    everything = {name for classes in layout.splits.values() for name in classes}
    lacking = sort_naturally(everything - set(layout.class_names))
    if lacking:
        elsewhere = next(
            split for name, split in splits.items() if name and lacking[0] in layout.splits[name]
        )
        raise DataError(
            say(
                "{path}: the splits have different classes: {name!r} lacks {classes}, which "
                "{other_name!r} has.",
                path=tree.path,
                name=splits["train"].name,
                classes=quote(lacking),
                other_name=elsewhere.name,
            ),
            remedy=say(
                "Use class folders of the same names in every split, or name one of the "
                "folders as the source."
            ),
        )
    for split_name, classes in layout.splits.items():
        missing = [name for name in layout.class_names if not classes.get(name)]
        if missing and split_name != "train":
            layout.notes.append(
                say(
                    "The {split_name} set has no images of {missing}.",
                    split_name=split_name,
                    missing=quote(missing),
                )
            )
    return layout


def _place(folder: FolderTree, tree: FolderTree) -> str:
    return repr(folder.path.relative_to(tree.path).as_posix())


def _count(number: int) -> str:
    return say_count("{number:,} image", "{number:,} images", number)
