"""A folder of class folders, with or without train, validation and test folders above them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from clearcnn.data.build_dataset import build_from_files
from clearcnn.data.classes import normal_form, quote
from clearcnn.data.decode_image import SUFFIXES
from clearcnn.data.image_files import Entry
from clearcnn.data.labelled_images import SPLIT_NAMES, LabelledImages
from clearcnn.data.natural_sort import natural_key, sort_naturally
from clearcnn.data.safe_files import describe_content, is_hidden, read_bytes, reject_folder_link
from clearcnn.data.split_names import parse_split_name
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec
from clearcnn.spelling import did_you_mean

# Unsupported image formats. They raise an error, since ignoring them would silently lose data.
OTHER_SUFFIXES = frozenset([".heic", ".heif", ".ico", ".jp2", ".jxl", ".svg", ".tga"])


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
      DataError: there are no class folders, images lie outside them, the splits have different
        classes, a class to train on is empty, or an image cannot be read.
    """
    splits = _split_folders(folder)
    roots: list[tuple[str | None, Path]] = [*splits.items()] if splits else [(None, folder)]
    walks = {
        split: _class_folders(root, folder, may_be_empty=not spec.for_training)
        for split, root in roots
    }
    if splits:
        _check_same_classes({splits[split]: list(walks[split]) for split in splits}, folder)
    entries = [
        Entry(
            name=path.relative_to(folder).as_posix(),
            label=class_name,
            read=partial(read_bytes, path, folder),
            split_name=split,
        )
        for split, _ in roots
        for class_name, content in walks[split].items()
        for path in content.images
    ]
    ignored = [
        path
        for classes in walks.values()
        for content in classes.values()
        for path in content.ignored
    ]
    return build_from_files(
        entries,
        spec,
        source=f"class folders in {folder}",
        known=list(next(iter(walks.values()))),
        preparation=describe_ignored(ignored, folder),
    )


def walk_images(folder: Path) -> FolderContent:
    """Find all files in a folder and its subfolders; a link to a folder raises a DataError."""
    content = FolderContent()
    waiting = _list_folder(folder)
    while waiting:
        entry = waiting.pop()
        path = Path(entry.path)
        if _is_folder(entry):
            reject_folder_link(path)
            waiting += _list_folder(path)
        elif looks_like_image(path):
            content.images.append(path)
        else:
            content.ignored.append(path)
    return content


def _list_folder(folder: Path) -> list["os.DirEntry[str]"]:
    """List the entries directly in a folder, in reverse natural order, without hidden ones."""
    with os.scandir(folder) as entries:
        listed = [entry for entry in entries if not is_hidden(entry.name)]
    return sorted(listed, key=lambda entry: natural_key(entry.name), reverse=True)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    # A circular link; reading it raises an error that names it.
    except OSError:
        return False


def looks_like_image(path: Path) -> bool:
    """Whether a file has the suffix of an image format, supported or not."""
    return path.suffix.lower() in SUFFIXES or path.suffix.lower() in OTHER_SUFFIXES


def describe_ignored(ignored: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """Describe files that are not images in one sentence, if there are any."""
    if not ignored:
        return ()
    example = ignored[0].relative_to(folder).as_posix()
    are = "s that are not images were" if len(ignored) > 1 else " that is not an image was"
    return (f"{len(ignored):,} file{are} ignored, such as {example}.",)


def split_folders(folder: Path) -> dict[str, Path]:
    """Find the folders named after a split, in the order train, validation, test.

    Raises:
      DataError: two of them stand for the same split, or one is a link.
    """
    found: dict[str, Path] = {}
    for path in subfolders(folder):
        split = parse_split_name(path.name)
        if split is None:
            continue
        reject_folder_link(path)
        if split in found:
            raise DataError(
                f"{folder}: the folders {found[split].name!r} and {path.name!r} both stand for "
                f"the {split} set.",
                remedy="Keep one of them.",
            )
        found[split] = path
    return {split: found[split] for split in SPLIT_NAMES if split in found}


def subfolders(folder: Path) -> list[Path]:
    """List the folders directly in a folder, in natural order, without hidden ones."""
    inside = [p for p in folder.iterdir() if p.is_dir() and not is_hidden(p.name)]
    return sorted(inside, key=lambda path: natural_key(path.name))


def _split_folders(folder: Path) -> dict[str, Path]:
    """Find the split folders. Without subfolders they are classes: one may be named "train"."""
    likely = [path for path in subfolders(folder) if parse_split_name(path.name)]
    for path in likely:
        reject_folder_link(path)
    if not any(subfolders(path) for path in likely):
        return {}
    splits = split_folders(folder)
    for path in subfolders(folder):
        if path in splits.values():
            continue
        reject_folder_link(path)
        if walk_images(path).images:
            raise DataError(
                f"{folder}: the folder {path.name!r} contains images, but is none of the split "
                "folders "
                f"{quote(path.name for path in splits.values())}.",
                remedy=f"{did_you_mean(path.name, SPLIT_NAMES)}Move it into a split folder, or "
                "elsewhere.",
            )
    return splits


def _class_folders(root: Path, folder: Path, *, may_be_empty: bool) -> dict[str, FolderContent]:
    """Find class name → files in its folder, in natural order."""
    walks: dict[str, FolderContent] = {}
    names: dict[str, str] = {}
    for path in subfolders(root):
        reject_folder_link(path)
        walks[path.name] = walk_images(path)
        if (twin := names.setdefault(normal_form(path.name), path.name)) != path.name:
            raise DataError(
                f"{root}: the class folders {twin!a} and {path.name!a} are the same name in two "
                "Unicode forms.",
                remedy="Put the images of both into one of them.",
            )
    stray = [path for path in root.iterdir() if path.is_file() and looks_like_image(path)]
    if not any(content.images for content in walks.values()):
        raise DataError(
            f"{root}: no class folders with images found. Looked for metadata.csv, metadata.jsonl, "
            "IDX files, Parquet files, and class folders; found "
            f"{describe_content(root)}.",
            remedy="Put the images of each class into a folder named after the class.",
        )
    empty = [name for name, content in walks.items() if not content.images]
    if empty and not may_be_empty:
        raise DataError(
            f"{root}: no images in the class folder {quote(empty)}.",
            remedy="Put images into it, or remove it.",
        )
    if stray:
        raise DataError(
            f"{root}: {len(stray)} images lie outside the class folders and have no label, "
            f"such as {stray[0].relative_to(folder).as_posix()}.",
            remedy="Move them into the folder of their class, or elsewhere.",
        )
    return {normal_form(name): walks[name] for name in sort_naturally(walks)}


def _check_same_classes(classes: dict[Path, list[str]], folder: Path) -> None:
    everything = {name for names in classes.values() for name in names}
    lacking = [
        f"{path.name!r} lacks {quote(sort_naturally(everything - set(names)))}"
        for path, names in classes.items()
        if everything - set(names)
    ]
    if lacking:
        raise DataError(
            f"{folder}: the splits have different classes: {'; '.join(lacking)}.",
            remedy="Use the same class folders in every split.",
        )
