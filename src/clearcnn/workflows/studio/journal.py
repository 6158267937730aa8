"""The undo journal: every change of a class folder as renames, one JSON line each.

The line of a move is written before its renames, so whatever a killed process did can be undone;
that of an added path after it. Undoing reverses those renames that took place.
"""

import errno
import json
import os
from dataclasses import dataclass
from pathlib import Path, PurePath

from clearcnn.bounded_json import JsonError, parse_json
from clearcnn.regular_files import read_regular

Renames = tuple[tuple[str, str], ...]

_MOST_BYTES = 64 * 2**20
_UNDO = "undo"


@dataclass(frozen=True)
class Change:
    """A change of the folder.

    Attributes:
      kind: add, move, remove, new_class, rename_class or remove_class.
      batch: changes of one batch that follow each other are undone together; "" is none.
      renames: (from, to) relative to the folder; an added path has "" as `from`.
    """

    kind: str
    batch: str
    renames: Renames


class Journal:
    """The changes that can be undone, oldest first, in memory and in a file.

    Args:
      path: of the file; it need not exist. What a killed process left incomplete is dropped.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changes: list[Change] = []
        content = self._read()
        for line in content.splitlines():
            self._replay(line)
        self._file = path.open("ab", buffering=0)
        if content and not content.endswith(b"\n"):
            self._file.write(b"\n")

    def append(self, change: Change) -> None:
        """Record a change.

        Raises:
          OSError: it cannot be written; it was not recorded then.
        """
        self._write([change.kind, change.batch, change.renames])
        self._changes.append(change)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to undo."""
        return not self._changes

    def last_batch(self) -> list[Change]:
        """Return what undoing would reverse, newest first; empty if there is nothing."""
        found: list[Change] = []
        for change in reversed(self._changes):
            if found and (not change.batch or change.batch != found[0].batch):
                break
            found.append(change)
        return found

    def drop_last(self) -> None:
        """Record that the newest change was undone.

        Raises:
          OSError: as `append`.
        """
        self._write([_UNDO])
        self._changes.pop()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, values: list[object]) -> None:
        line = json.dumps(values, ensure_ascii=False).encode() + b"\n"
        start = self._file.seek(0, os.SEEK_END)
        try:
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        except OSError:
            self._file.truncate(start)
            raise

    def _read(self) -> bytes:
        return read_regular(self._path, _MOST_BYTES) if self._path.exists() else b""

    def _replay(self, line: bytes) -> None:
        try:
            values = parse_json(line)
        except JsonError:
            return
        if values == [_UNDO]:
            if self._changes:
                self._changes.pop()
            return
        match values:
            case [str(kind), str(batch), list(renames)] if all(map(_is_rename, renames)):
                self._changes.append(Change(kind, batch, tuple(map(tuple, renames))))


def _is_rename(pair: object) -> bool:
    """Whether a value is a pair of paths inside the folder, which may come from a stranger."""
    match pair:
        case [str(source), str(target)]:
            return _is_inside(source) and _is_inside(target)
    return False


def _is_inside(path: str) -> bool:
    parts = PurePath(path).parts
    return "\\" not in path and not PurePath(path).is_absolute() and ".." not in parts
