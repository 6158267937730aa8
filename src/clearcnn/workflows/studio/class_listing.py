"""The classes and pictures that lie in a class folder."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clearcnn.data.decode_image import SUFFIXES
from clearcnn.data.forms.folder_tree import OTHER_SUFFIXES
from clearcnn.data.natural_sort import natural_key, sort_naturally
from clearcnn.data.safe_files import is_hidden
from clearcnn.workflows.studio.picture_names import find_burst


@dataclass(frozen=True)
class PictureClass:
    """A class folder.

    Attributes:
      name: of the folder.
      pictures: the names of its picture files, in natural order.
    """

    name: str
    pictures: tuple[str, ...]

    @property
    def num_scenes(self) -> int:
        """Bursts, and pictures that are of none: what a group split can tell apart."""
        bursts = [find_burst(name) for name in self.pictures]
        return len(set(bursts) - {None}) + bursts.count(None)


@dataclass(frozen=True)
class Listing:
    """What a class folder had at one moment.

    Attributes:
      version: differs after every change.
      classes: in natural order.
      pictures: all of them, named "CLASS/FILE".
    """

    version: object
    classes: tuple[PictureClass, ...]
    pictures: frozenset[str]


def list_names(root: Path) -> list[str]:
    """Return the names of the class folders, in no order."""
    with os.scandir(root) as entries:
        return [entry.name for entry in entries if _is_class(entry)]


def list_folder(root: Path, version: object) -> Listing:
    """List a class folder."""
    classes = tuple(_list_classes(root))
    pictures = (f"{each.name}/{name}" for each in classes for name in each.pictures)
    return Listing(version, classes, frozenset(pictures))


def _list_classes(root: Path) -> Iterator[PictureClass]:
    for name in sort_naturally(list_names(root)):
        try:
            with os.scandir(root / name) as entries:
                files = [entry.name for entry in entries if _is_picture(entry)]
        except FileNotFoundError:  # Deleted by another program since it was listed.
            continue
        yield PictureClass(name, tuple(sorted(files, key=natural_key)))


def _is_class(entry: os.DirEntry[str]) -> bool:
    return not is_hidden(entry.name) and entry.is_dir(follow_symlinks=False)


def _is_picture(entry: os.DirEntry[str]) -> bool:
    suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122
    # What a training refuses, such as HEIC, is shown too, so that it can be removed.
    is_image = suffix in SUFFIXES or suffix in OTHER_SUFFIXES
    return is_image and not is_hidden(entry.name) and entry.is_file(follow_symlinks=False)
