"""The files of a source: opened safely, with bounds on what they decompress to.

The user may name a file or a folder that is itself a link. Inside a folder that the user named, a
link to a file is followed if it ends within that folder, and a link to a folder is rejected.
"""

import errno
import os
from collections import Counter
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from clearcnn import regular_files
from clearcnn.errors import DataError
from clearcnn.language import join, say, say_count

LARGEST_IMAGE_BYTES = 96 * 2**20
LARGEST_ARRAY_BYTES = 4 * 2**30

# What a small file may decompress to; and a larger one, as a multiple of its own size. Scans of
# handwriting, mostly paper, shrink to a fifth; deflate's own limit is a thousandth.
_FREE_BYTES = 64 * 2**20
_MOST_EXPANSION = 32

# Written by operating systems, file servers and archivers, in any case.
_HIDDEN = frozenset(
    [
        *("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"),
        *("@eadir", "@tmp", "#recycle", "#snapshot", "$recycle.bin", "recycler"),
        *("system volume information", "lost+found", "found.000"),
    ]
)

_REPLACE = say("Remove it, or put the right file in its place.")


def open_regular(path: Path, root: Path | None = None) -> BufferedReader:
    """Open a file that is not empty for reading.

    Args:
      path: the file.
      root: the folder that the user named and the file was found in; None if the user named the
        file itself.
    Raises:
      DataError: it is missing, cannot be read, is empty, is a pipe, device or folder, or is a
        link that leads out of `root`.
    """
    try:
        place = Path(os.path.realpath(path)) if root is None else path
        file = regular_files.open_regular(place, root=root)
    except regular_files.RejectedFileError as error:
        reason = error.strerror or ""
        fix = say("Copy the file in place of the link.") if error.errno == errno.ELOOP else _REPLACE
        raise DataError(
            say("{path} cannot be opened: {reason}.", path=path, reason=reason), remedy=fix
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(
            say("{path} cannot be opened: {reason}.", path=path, reason=reason),
            remedy=say("Check the path and its permissions."),
        ) from None
    if os.fstat(file.fileno()).st_size == 0:
        file.close()
        raise DataError(say("{path} is empty (0 bytes).", path=path), remedy=_REPLACE)
    return file


def read_bytes(
    path: Path, root: Path | None = None, *, limit_bytes: int = LARGEST_IMAGE_BYTES
) -> bytes:
    """Read a regular file of at most `limit_bytes`.

    Args:
      path, root: as for `open_regular`.
      limit_bytes: of the file.
    Raises:
      DataError: as `open_regular`, or the file is larger.
    """
    with open_regular(path, root) as file:
        num_bytes = os.fstat(file.fileno()).st_size
        if num_bytes > limit_bytes:
            raise DataError(
                say(
                    "{path} has {num_bytes:,} bytes; at most {limit_bytes:,} are read.",
                    path=path,
                    num_bytes=num_bytes,
                    limit_bytes=limit_bytes,
                ),
                remedy=say("Make the file smaller."),
            )
        try:
            return file.read(num_bytes)
        except OSError as error:
            raise DataError(
                say("{path} cannot be read: {reason}.", path=path, reason=error.strerror),
                remedy=say("Check the disk or the network."),
            ) from None


@dataclass(frozen=True)
class SourceFile:
    """A file of a source; calling it reads its bytes as `read_bytes` does.

    Attributes:
      path, root: as for `open_regular`.
    """

    path: Path
    root: Path | None = None

    def __call__(self) -> bytes:
        """Read the file."""
        return read_bytes(self.path, self.root)


def reject_folder_link(path: Path) -> None:
    """Reject a folder that is a link, before anything in it is listed.

    Raises:
      DataError: it is a link, wherever it leads: its files could be read twice, or for ever.
    """
    if path.is_symlink():
        raise DataError(
            say("{path} is a link to a folder; such links are not followed.", path=path),
            remedy=say("Copy the folder in place of the link."),
        )


def is_inside(path: Path, root: Path) -> bool:
    """Whether a path, all links followed, lies within a folder."""
    try:
        regular_files.resolve_within(path, root)
    except regular_files.RejectedFileError:
        return False
    return True


def check_decompressed_size(num_bytes: int, path: Path) -> None:
    """Reject a file that decompresses to far more than its size.

    Args:
      num_bytes: the decompressed size, as the file declares it.
      path: the file.
    Raises:
      DataError: this is more than is ever read, or more than 64 MiB and than 32 times the file's
        size.
    """
    size = path.stat().st_size
    most = min(max(_FREE_BYTES, _MOST_EXPANSION * size), LARGEST_ARRAY_BYTES)
    if num_bytes > most:
        raise DataError(
            say(
                "{path} has {size:,} bytes and decompresses to {num_bytes:,}; at most "
                "{most:,} are read.",
                path=path,
                size=size,
                num_bytes=num_bytes,
                most=most,
            ),
            remedy=say("Store fewer or smaller images; real images do not compress this far."),
        )


def check_array_bytes(num_bytes: int, path: Path) -> None:
    """Reject a file that is larger than what is ever read into memory.

    Raises:
      DataError: it has more than `LARGEST_ARRAY_BYTES`.
    """
    if num_bytes > LARGEST_ARRAY_BYTES:
        raise DataError(
            say(
                "{path} has {num_bytes:,} bytes; at most {largest_array_bytes:,} are read.",
                path=path,
                num_bytes=num_bytes,
                largest_array_bytes=LARGEST_ARRAY_BYTES,
            ),
            remedy=say("Store fewer or smaller images."),
        )


def is_hidden(name: str) -> bool:
    """Whether a name belongs to the operating system rather than to the data."""
    return name.startswith(".") or name.casefold() in _HIDDEN


def describe_content(folder: Path) -> str:
    """Describe what is directly in a folder: "2 folders, 12 .txt files"."""
    suffixes: Counter[str | None] = Counter()  # None stands for folders.
    for entry in folder.iterdir():
        if not is_hidden(entry.name):
            suffixes[None if entry.is_dir() else entry.suffix.lower()] += 1
    kinds = [_count_kind(suffix, number) for suffix, number in suffixes.most_common()]
    return join(", ", kinds) or say("nothing")


def _count_kind(suffix: str | None, number: int) -> str:
    if suffix is None:
        return say_count("{number} folder", "{number} folders", number)
    if not suffix:
        return say_count("{number} file", "{number} files", number)
    return say_count("{number} {suffix} file", "{number} {suffix} files", number, suffix=suffix)
