"""A folder and everything below it, listed once."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from clearcnn.data.decode_image import SUFFIXES
from clearcnn.data.natural_sort import natural_key
from clearcnn.data.safe_files import is_hidden, reject_folder_link

# Unsupported image formats. They raise an error, since ignoring them would silently lose data.
OTHER_SUFFIXES = frozenset([".heic", ".heif", ".ico", ".jp2", ".jxl", ".svg", ".tga"])


@dataclass(eq=False)
class FolderTree:
    """A folder, without hidden files and folders.

    Attributes:
      path: of the folder.
      entries: its images and its subfolders, in natural order.
      others: its files that are not images, in natural order.
      num_images: in it and below it.
    """

    path: Path
    entries: "list[Path | FolderTree]" = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    num_images: int = 0

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path.name

    @property
    def images(self) -> list[Path]:
        """The images directly in it."""
        return [entry for entry in self.entries if not isinstance(entry, FolderTree)]

    @property
    def folders(self) -> "list[FolderTree]":
        """The folders directly in it."""
        return [entry for entry in self.entries if isinstance(entry, FolderTree)]

    @property
    def filled(self) -> "list[FolderTree]":
        """The folders directly in it that have images, at any depth."""
        return [folder for folder in self.folders if folder.num_images]

    def all_images(self) -> list[Path]:
        """List the images in it and below it, depth first, in natural order."""
        return [entry for entry in self._walk() if not isinstance(entry, FolderTree)]

    def all_others(self) -> list[Path]:
        """List the files that are not images, in it and below it."""
        trees = (entry for entry in self._walk() if isinstance(entry, FolderTree))
        return [path for tree in (self, *trees) for path in tree.others]

    def all_folders(self) -> "list[FolderTree]":
        """List the folders below it, depth first, in natural order."""
        return [entry for entry in self._walk() if isinstance(entry, FolderTree)]

    def _walk(self) -> "Iterator[Path | FolderTree]":
        # A path may be nested deeper than Python allows a function to call itself.
        waiting = [*reversed(self.entries)]
        while waiting:
            entry = waiting.pop()
            yield entry
            if isinstance(entry, FolderTree):
                waiting += reversed(entry.entries)


def list_tree(folder: Path) -> FolderTree:
    """List a folder and everything below it.

    Raises:
      DataError: a folder in it is a link.
      OSError: a folder cannot be listed.
    """
    root = FolderTree(folder)
    trees = [root]
    for tree in trees:  # grows as folders are found
        for entry in _list_folder(tree.path):
            path = Path(entry.path)
            if _is_folder(entry):
                reject_folder_link(path)
                inside = FolderTree(path)
                tree.entries.append(inside)
                trees.append(inside)
            elif looks_like_image(path):
                tree.entries.append(path)
            else:
                tree.others.append(path)
    for tree in reversed(trees):
        tree.num_images = sum(
            entry.num_images if isinstance(entry, FolderTree) else 1 for entry in tree.entries
        )
    return root


def looks_like_image(path: Path) -> bool:
    """Whether a file has the suffix of an image format, supported or not."""
    return path.suffix.lower() in SUFFIXES or path.suffix.lower() in OTHER_SUFFIXES


def _list_folder(folder: Path) -> "list[os.DirEntry[str]]":
    """List the entries directly in a folder, in natural order, without hidden ones."""
    with os.scandir(folder) as entries:
        listed = [entry for entry in entries if not is_hidden(entry.name)]
    return sorted(listed, key=lambda entry: natural_key(entry.name))


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    # A circular link; reading it raises an error that names it.
    except OSError:
        return False
