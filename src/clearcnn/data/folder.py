"""A folder of class folders, with or without train, validation and test folders above them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from clearcnn.data.build_dataset import assemble_pictures
from clearcnn.data.classes import normal_form, quote
from clearcnn.data.decode_image import SUFFIXES
from clearcnn.data.image_files import Entry
from clearcnn.data.labelled_images import PARTS, LabelledImages
from clearcnn.data.natural_sort import natural_key, sort_naturally
from clearcnn.data.safe_files import describe_content, is_hidden, read_bytes, reject_folder_link
from clearcnn.data.split_names import part_called
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec
from clearcnn.spelling import did_you_mean

# Pictures of formats that are not read; to ignore them would lose data in silence.
OTHER_SUFFIXES = frozenset(
    [".avif", ".heic", ".heif", ".ico", ".jp2", ".jxl", ".pbm", ".pgm", ".ppm", ".svg", ".tga"]
)


@dataclass
class Walk:
    """What lies in a folder and the folders in it.

    Attributes:
      pictures: files that look like pictures, in natural order.
      ignored: other files that are not the system's.
    """

    pictures: list[Path] = field(default_factory=list)
    ignored: list[Path] = field(default_factory=list)


def read(folder: Path, spec: DataSpec) -> LabelledImages:
    """Read class folders; the folders in a class folder belong to its class.

    Raises:
      DataError: there are no class folders, pictures lie outside them, the classes of the
        parts differ, a class to train on is empty, or a picture cannot be read.
    """
    parts = _part_folders(folder)
    roots: list[tuple[str | None, Path]] = [*parts.items()] if parts else [(None, folder)]
    walks = {
        part: _class_folders(root, folder, may_be_empty=not spec.for_training)
        for part, root in roots
    }
    if parts:
        _check_same_classes({parts[part]: list(walks[part]) for part in parts}, folder)
    entries = [
        Entry(
            name=path.relative_to(folder).as_posix(),
            label=class_name,
            read=partial(read_bytes, path, folder),
            part=part,
        )
        for part, _ in roots
        for class_name, walk in walks[part].items()
        for path in walk.pictures
    ]
    ignored = [
        path for walked in walks.values() for walk in walked.values() for path in walk.ignored
    ]
    return assemble_pictures(
        entries,
        spec,
        source=f"class folders in {folder}",
        known=list(next(iter(walks.values()))),
        preparation=describe_ignored(ignored, folder),
    )


def walk_pictures(folder: Path) -> Walk:
    """Every file in a folder and below, in natural order; links to folders are refused."""
    walk = Walk()
    waiting = _list_folder(folder)
    while waiting:
        entry = waiting.pop()
        path = Path(entry.path)
        if _is_folder(entry):
            reject_folder_link(path)
            waiting += _list_folder(path)
        elif looks_like_picture(path):
            walk.pictures.append(path)
        else:
            walk.ignored.append(path)
    return walk


def _list_folder(folder: Path) -> list["os.DirEntry[str]"]:
    """What lies directly in a folder and is not the system's, in reversed natural order."""
    with os.scandir(folder) as entries:
        listed = [entry for entry in entries if not is_hidden(entry.name)]
    return sorted(listed, key=lambda entry: natural_key(entry.name), reverse=True)


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    # A link in a circle is no folder, and reading it will say what it is.
    except OSError:
        return False


def looks_like_picture(path: Path) -> bool:
    """Whether the end of a file's name is that of a picture, read here or not."""
    return path.suffix.lower() in SUFFIXES or path.suffix.lower() in OTHER_SUFFIXES


def describe_ignored(ignored: Sequence[Path], folder: Path) -> tuple[str, ...]:
    """One sentence about files that are not pictures, if there are any."""
    if not ignored:
        return ()
    example = ignored[0].relative_to(folder).as_posix()
    are = "s that are no pictures were" if len(ignored) > 1 else " that is no picture was"
    return (f"{len(ignored):,} file{are} ignored, such as {example}.",)


def part_folders(folder: Path) -> dict[str, Path]:
    """The folders in `folder` that are called like parts, in the order of the parts.

    Raises:
      DataError: two of them stand for the same part, or one is a link.
    """
    found: dict[str, Path] = {}
    for path in subfolders(folder):
        part = part_called(path.name)
        if part:
            reject_folder_link(path)
        if part in found:
            raise DataError(
                f"{folder}: the folders {found[part].name!r} and {path.name!r} both stand for "
                f"the {part} part.",
                remedy="Keep one of them.",
            )
        if part:
            found[part] = path
    return {part: found[part] for part in PARTS if part in found}


def subfolders(folder: Path) -> list[Path]:
    """The folders directly in a folder that are not the system's, in natural order."""
    inside = [p for p in folder.iterdir() if p.is_dir() and not is_hidden(p.name)]
    return sorted(inside, key=lambda path: natural_key(path.name))


def _part_folders(folder: Path) -> dict[str, Path]:
    """The part folders, if one holds folders: a class may be called "train", too."""
    likely = [path for path in subfolders(folder) if part_called(path.name)]
    for path in likely:
        reject_folder_link(path)
    if not any(subfolders(path) for path in likely):
        return {}
    parts = part_folders(folder)
    for path in subfolders(folder):
        if path in parts.values():
            continue
        reject_folder_link(path)
        if walk_pictures(path).pictures:
            raise DataError(
                f"{folder}: {path.name!r} holds pictures beside the parts "
                f"{quote(part.name for part in parts.values())}.",
                remedy=f"{did_you_mean(path.name, PARTS)}Move it into a part or out of the folder.",
            )
    return parts


def _class_folders(root: Path, folder: Path, *, may_be_empty: bool) -> dict[str, Walk]:
    """Class name → what lies in its folder, in natural order."""
    walks: dict[str, Walk] = {}
    names: dict[str, str] = {}
    for path in subfolders(root):
        reject_folder_link(path)
        walks[path.name] = walk_pictures(path)
        if (twin := names.setdefault(normal_form(path.name), path.name)) != path.name:
            raise DataError(
                f"{root}: the class folders {twin!a} and {path.name!a} have one name, "
                "written in two ways of Unicode.",
                remedy="Put the pictures of both into one of them.",
            )
    stray = [path for path in root.iterdir() if path.is_file() and looks_like_picture(path)]
    if not any(walk.pictures for walk in walks.values()):
        raise DataError(
            f"{root}: no class folders with pictures. Looked for metadata.csv, metadata.jsonl, "
            "IDX files, Parquet files, and class folders; found "
            f"{describe_content(root)}.",
            remedy="Put the pictures of each class into a folder named after the class.",
        )
    empty = [name for name, walk in walks.items() if not walk.pictures]
    if empty and not may_be_empty:
        raise DataError(
            f"{root}: the class folder {quote(empty)} holds no picture.",
            remedy="Put pictures into it, or remove it.",
        )
    if stray:
        raise DataError(
            f"{root}: {len(stray)} pictures lie beside the class folders and have no label, "
            f"such as {stray[0].relative_to(folder).as_posix()}.",
            remedy="Move them into the folder of their class, or away.",
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
            f"{folder}: the classes of the parts differ: {'; '.join(lacking)}.",
            remedy="Give every part the same class folders.",
        )
