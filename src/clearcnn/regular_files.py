"""The only function that opens files from outside: regular files, without blocking.

Sources of images, run folders and checkpoints are opened here; the rooms add their own messages.
"""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

from clearcnn.language import say


class RejectedFileError(OSError):
    """A file is a link, is not a regular file, or is too large; `strerror` says which."""


def open_regular(
    path: Path, *, root: Path | None = None, most_bytes: int | None = None
) -> BufferedReader:
    """Open a regular file for reading.

    A link is followed only if it ends within `root`. A pipe or a device raises at once; opening
    one could block. The folders above the file are not checked and may be links.

    Args:
      path: the file.
      root: a folder; None rejects every link.
      most_bytes: larger files are rejected; None accepts any size.
    Raises:
      RejectedFileError: it is a link, is not a regular file, or is too large.
      OSError: it is missing or cannot be read.
    """
    status = path.lstat()
    if root is not None and stat.S_ISLNK(status.st_mode):
        path = resolve_within(path, root)
        status = path.lstat()
    # Checked before opening, since opening a device may have effects; and again after, in case
    # another process has replaced the file in between.
    _check(path, status, most_bytes)
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags)
    try:
        _check(path, os.fstat(descriptor), most_bytes)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most_bytes: int | None = None) -> bytes:
    """Read a regular file; no more than the size it had when it was opened.

    Raises:
      OSError: as for `open_regular`; every link is rejected.
    """
    with open_regular(path, most_bytes=most_bytes) as file:
        return file.read(os.fstat(file.fileno()).st_size)


def resolve_within(path: Path, root: Path) -> Path:
    """Follow all links of a path, in its folders too.

    Raises:
      RejectedFileError: it ends outside `root`.
    """
    # Path.resolve raises on circular links; os.path.realpath leaves them as they are.
    place = Path(os.path.realpath(path))
    if not place.is_relative_to(os.path.realpath(root)):
        raise RejectedFileError(
            errno.ELOOP, say("it is a link that leads out of {root}", root=root), str(path)
        )
    return place


def _check(path: Path, status: os.stat_result, most_bytes: int | None) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise RejectedFileError(errno.ELOOP, say("it is a link"), str(path))
    if not stat.S_ISREG(status.st_mode):
        raise RejectedFileError(errno.EINVAL, say("it is not a regular file"), str(path))
    if most_bytes is not None and status.st_size > most_bytes:
        problem = say(
            "it has {num_bytes:,} bytes; at most {most_bytes:,} are read",
            num_bytes=status.st_size,
            most_bytes=most_bytes,
        )
        raise RejectedFileError(errno.EFBIG, problem, str(path))
