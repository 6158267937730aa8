"""Regular files, opened without following a link and without waiting."""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path


def open_regular(path: Path, most_bytes: int | None = None) -> BufferedReader:
    """Open a file for reading, unless it is anything but a regular file.

    A link is refused wherever it leads; a pipe or a device is refused without waiting for it.
    Folders above the file may be links.

    Args:
      path: of the file.
      most_bytes: larger files are refused; None takes any size.
    Raises:
      OSError: it is missing, may not be read, is no regular file, or is too large; `strerror`
        says which.
    """
    # A device may act on being opened, so its kind is looked at before; and once more after, in
    # case another process has put something else there.
    _require_regular(path, path.lstat(), most_bytes)
    flags = os.O_RDONLY
    for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):
        flags |= getattr(os, name, 0)
    descriptor = os.open(path, flags)
    try:
        _require_regular(path, os.fstat(descriptor), most_bytes)
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise


def read_regular(path: Path, most_bytes: int | None = None) -> bytes:
    """Read a regular file as `open_regular` opens it; no more than the size it had then.

    Raises:
      OSError: as for `open_regular`.
    """
    with open_regular(path, most_bytes) as file:
        return file.read(os.fstat(file.fileno()).st_size)


def _require_regular(path: Path, status: os.stat_result, most_bytes: int | None) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, "it is a link", str(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    if most_bytes is not None and status.st_size > most_bytes:
        what = f"it has {status.st_size:,} bytes, and at most {most_bytes:,} are read"
        raise OSError(errno.EFBIG, what, str(path))
