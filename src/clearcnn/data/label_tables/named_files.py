"""The image files of a folder, found by the names that tables give them.

Tables name files with or without their extension, with slashes or backslashes, relative to the
table, to the folder, or to a folder on their author's computer. A name means the file whose path
agrees with it in the most components, counted from the end.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from clearcnn.data.classes import normal_form
from clearcnn.data.forms.folder_tree import list_tree, looks_like_image
from clearcnn.data.label_tables.split_cells import find_split_word
from clearcnn.data.safe_files import is_hidden

Parts = tuple[str, ...]

_MOST_SEEN, _DEEPEST = 200_000, 3


class NamedFiles:
    """The image files in a folder and its subfolders.

    Args:
      folder: the folder.
      files: in it; None finds them.

    Attributes:
      folder: the folder.
      paths: of all image files, relative to it, with slashes.
    """

    def __init__(self, folder: Path, files: Sequence[Path] | None = None) -> None:
        self.folder = folder
        start = len(os.path.join(folder, ""))  # noqa: PTH118
        found = list_tree(folder).all_images() if files is None else files
        self.paths = [str(path)[start:].replace(os.sep, "/") for path in found]
        self._by_name: dict[str, list[str]] = defaultdict(list)
        for path in self.paths:
            name = normal_form(path.rpartition("/")[2]).casefold()
            self._by_name[name].append(path)
            stem = name.rpartition(".")[0]
            self._by_name[stem].append(path)

    @classmethod
    def beside(cls, table: Path) -> "NamedFiles":
        """Find the image files beside a table that the user named, and in three levels of folders.

        Links to folders are left out; of more than 200,000 files and folders, the first are seen.
        """
        found: list[Path] = []
        waiting = [(table.parent, 0)]
        seen = 0
        while waiting and seen < _MOST_SEEN:
            folder, depth = waiting.pop(0)
            for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
                seen += 1
                if is_hidden(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting += [(folder / entry.name, depth + 1)] if depth < _DEEPEST else []
                elif looks_like_image(Path(entry.name)):
                    found.append(folder / entry.name)
        return cls(table.parent, found)

    def find(self, name: str, near: str = "", split: str | None = None) -> list[str]:
        """Find the files that a name may mean.

        Args:
          name: as in a table.
          near: the folder of the table, relative to `folder`; its files come before others.
          split: of the table; files in a folder of that split come before others.
        Returns:
          One relative path if the name is clear; none, or several.
        """
        wanted = split_path(name)
        found = self._by_name.get(wanted[-1], []) if wanted else []
        if len(found) < 2:
            return list(found)
        parts = [split_path(path) for path in found]
        found = _best(found, [_count_agreeing(wanted, each) for each in parts])
        if len(found) > 1 and split is not None:
            found = _best(
                found, [find_split_word(path.rpartition("/")[0]) == split for path in found]
            )
        if len(found) > 1:
            found = _best(found, [path.startswith(f"{near}/" if near else "") for path in found])
        if len(found) > 1:
            found = _best(found, [path.rpartition("/")[2] == name for path in found])
        return found


def split_path(name: str) -> Parts:
    """Split a path into its components: casefolded, in NFC, without "." and empty ones."""
    whole = normal_form(name.strip()).casefold().replace("\\", "/")
    return tuple(part for part in whole.split("/") if part not in ("", "."))


def _count_agreeing(wanted: Parts, found: Parts) -> int:
    """Count the components that agree, from the end; the last one may lack its extension."""
    count = 1
    for one, other in zip(wanted[-2::-1], found[-2::-1], strict=False):
        if one != other:
            break
        count += 1
    return count


def _best(found: Sequence[str], scores: Iterable[int]) -> list[str]:
    listed = list(scores)
    return [path for path, score in zip(found, listed, strict=True) if score == max(listed)]
