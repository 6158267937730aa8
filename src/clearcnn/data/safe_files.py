"""Files, opened with care: regular files only, no links out of a folder, never too many bytes.

The user may name a file or a folder that is itself a link. Below a folder that the user named, a
link to a file is followed if it ends within that folder, and a link to a folder never.
"""

import os
import stat
from collections import Counter
from pathlib import Path
from typing import BinaryIO

from clearcnn.errors import DataError

LARGEST_PICTURE_BYTES = 96 * 2**20
LARGEST_ARRAY_BYTES = 4 * 2**30

# What a small file may unfold to; and a larger one, as a multiple of its own size. Scans of
# handwriting, mostly paper, shrink to a fifth; deflate's own limit is a thousandth.
_FREE_BYTES = 64 * 2**20
_MOST_UNFOLDING = 32

# Listed by systems and archivers, never by people.
_HIDDEN = ("__MACOSX", "Thumbs.db", "desktop.ini")


def open_regular(path: Path, root: Path | None = None) -> BinaryIO:
    """Open a file for reading, and refuse what is not a file with something in it.

    Args:
      path: of the file.
      root: the folder that the user named and the file was found in; None if the user named the
        file itself.
    Raises:
      DataError: it is missing, may not be read, is empty, is a pipe, device or folder, or is a
        link that leads out of `root`.
    """
    if root is not None:
        refuse_link_out(path, root)
    try:
        # O_NONBLOCK: opening a named pipe that nobody writes to would wait for ever.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(
            f"{path} cannot be opened: {reason}.", remedy="Check the path and its permissions."
        ) from None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_size == 0:
        os.close(descriptor)
        fault = "is empty (0 bytes)" if stat.S_ISREG(status.st_mode) else "is not a regular file"
        raise DataError(f"{path} {fault}.", remedy="Remove it, or put the right file in its place.")
    return os.fdopen(descriptor, "rb")


def read_bytes(
    path: Path, root: Path | None = None, *, limit_bytes: int = LARGEST_PICTURE_BYTES
) -> bytes:
    """The whole content of a regular file of at most `limit_bytes`.

    Args:
      path, root: as for `open_regular`.
    Raises:
      DataError: as `open_regular`, or the file is larger.
    """
    with open_regular(path, root) as file:
        num_bytes = os.fstat(file.fileno()).st_size
        if num_bytes > limit_bytes:
            raise DataError(
                f"{path} has {num_bytes:,} bytes; at most {limit_bytes:,} are read.",
                remedy="Make the file smaller.",
            )
        try:
            return file.read(num_bytes)
        except OSError as error:
            raise DataError(
                f"{path} cannot be read: {error.strerror}.", remedy="Check the disk or the network."
            ) from None


def refuse_link_out(path: Path, root: Path) -> None:
    """Refuse a file that is a link leading out of a folder, before anything of it is read.

    Raises:
      DataError: it is such a link. The folders between `root` and the file are not looked at:
        whoever lists them calls `refuse_folder_link`.
    """
    if path.is_symlink() and not is_inside(path, root):
        raise DataError(
            f"{path} is a link that leads out of {root}.",
            remedy="Copy the file in place of the link.",
        )


def refuse_folder_link(path: Path) -> None:
    """Refuse a folder that is a link, before anything in it is listed.

    Raises:
      DataError: it is a link, wherever it leads: its files could be read twice, or for ever.
    """
    if path.is_symlink():
        raise DataError(
            f"{path} is a link to a folder; such links are not followed.",
            remedy="Copy the folder in place of the link.",
        )


def is_inside(path: Path, root: Path) -> bool:
    """Whether a path, all links followed, lies within a folder."""
    # Path.resolve raises on links in a circle; here they stay what they are.
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))


def check_unfolding(num_bytes: int, path: Path) -> None:
    """Refuse a file that declares more than its size can honestly hold.

    Args:
      num_bytes: that it unfolds to.
      path: of the file.
    Raises:
      DataError: these are more than are ever read, or more than 64 MiB and than 32 times the
        file's size.
    """
    most = max(_FREE_BYTES, _MOST_UNFOLDING * path.stat().st_size)
    if num_bytes > min(most, LARGEST_ARRAY_BYTES):
        raise DataError(
            f"{path} has {path.stat().st_size:,} bytes and unfolds to {num_bytes:,}; at most "
            f"{min(most, LARGEST_ARRAY_BYTES):,} are read.",
            remedy="Store fewer or smaller images; images that are worth learning from do not "
            "shrink so far.",
        )


def is_hidden(name: str) -> bool:
    """Whether a name belongs to the system rather than to the data."""
    return name.startswith(".") or name in _HIDDEN


def describe_content(folder: Path) -> str:
    """What lies directly in a folder, in words: "2 folders, 12 .txt files"."""
    kinds: Counter[str] = Counter()
    for entry in folder.iterdir():
        if not is_hidden(entry.name):
            suffix = entry.suffix.lower()
            kinds["folder" if entry.is_dir() else f"{suffix} file" if suffix else "file"] += 1
    words = [f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in kinds.most_common()]
    return ", ".join(words) or "nothing"
