"""The one door to what a run folder holds: regular files within it, of their size and hash.

A run folder may come from anybody. Whoever needs one of its files gets bytes from here, no path: a
path could lead elsewhere by the time it is opened.
"""

import hashlib
import os
import stat
from io import BufferedReader
from pathlib import Path, PurePosixPath

from clearcnn.bundle.manifest import MANIFEST_NAME, FileEntry
from clearcnn.errors import BundleError


def open_member(folder: Path, name: str) -> BufferedReader:
    """Open a file of a run folder for reading.

    Args:
      folder: itself it may be a link.
      name: with forward slashes, as the manifest lists it.
    Raises:
      BundleError: the name or a link leads out of the folder; there is no such file; or it is a
        folder, a pipe or a device, which are never waited for.
    """
    # As clearcnn writes it, so that no file has two names: "./a" is "a" once more.
    plain = PurePosixPath(name)
    is_plain = name == str(plain) and plain.parts and not plain.is_absolute()
    if not is_plain or ".." in plain.parts or any(letter in name for letter in "\\:\0"):
        raise damaged(folder, f"its {MANIFEST_NAME} lists {name[:100]!r}, a place outside it")
    try:
        # Path.resolve raises on links in a circle; here they stay what they are.
        place = Path(os.path.realpath(folder / name))
        if not place.is_relative_to(os.path.realpath(folder)):
            raise damaged(folder, f"{name[:100]} is a link to a place outside it")
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        # What was no link a moment ago is none now.
        descriptor = os.open(place, flags | getattr(os, "O_NOFOLLOW", 0))
    except BundleError:
        raise
    # No file has a name that is too long, or no Unicode.
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
        raise damaged(folder, f"{name[:100]} is missing") from None
    except OSError as error:
        raise unreadable(folder / name[:100], error) from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise damaged(folder, f"{name[:100]} is missing: what is there is no file")
    return os.fdopen(descriptor, "rb")


def check_member(folder: Path, name: str, expected: FileEntry) -> None:
    """Check the size and the hash of a file, read in pieces.

    Raises:
      BundleError: as `open_member`, or it is another file than the manifest says.
    """
    with open_member(folder, name) as file:
        _check_size(file, folder, name, expected)
        try:
            digest = hashlib.file_digest(file, "sha256")
        except OSError as error:
            raise unreadable(folder / name, error) from error
    _check_hash(digest.hexdigest(), folder, name, expected)


def read_member(folder: Path, name: str, expected: FileEntry, most_bytes: int) -> bytes:
    """Read a file that is as the manifest says.

    Args:
      folder, name: as for `open_member`.
      expected: of the manifest.
      most_bytes: that a run like this can have written.
    Raises:
      BundleError: as `check_member`, or it is larger.
    """
    if expected.bytes > most_bytes:
        raise damaged(
            folder,
            f"{name} has {expected.bytes:,} bytes, and at most {most_bytes:,} are written for a "
            "run like it",
        )
    with open_member(folder, name) as file:
        _check_size(file, folder, name, expected)
        content = _read(file, folder / name, expected.bytes)
    _check_hash(hashlib.sha256(content).hexdigest(), folder, name, expected)
    return content


def read_manifest_file(folder: Path, most_bytes: int) -> bytes:
    """Read a run folder's `bundle.json`, which no hash vouches for.

    Raises:
      BundleError: as `open_member`, or it is larger.
    """
    with open_member(folder, MANIFEST_NAME) as file:
        content = _read(file, folder / MANIFEST_NAME, most_bytes + 1)
    if len(content) > most_bytes:
        raise damaged(folder, f"its {MANIFEST_NAME} is larger than any run writes")
    return content


def damaged(folder: Path, what: str) -> BundleError:
    """Make the error of a run folder that is not as it was written; `what` is a clause."""
    return BundleError(
        f"The run folder {folder} is not as it was written: {what}.",
        remedy="Restore it from a copy, or train again.",
    )


def unreadable(path: Path, error: OSError) -> BundleError:
    """Make the error of a file that the system does not let be read."""
    return BundleError(
        f"{path} cannot be read: {error.strerror or error}.",
        remedy="Check its permissions and the disk.",
    )


def _read(file: BufferedReader, path: Path, most_bytes: int) -> bytes:
    try:
        return file.read(most_bytes)
    except OSError as error:
        raise unreadable(path, error) from error


def _check_size(file: BufferedReader, folder: Path, name: str, expected: FileEntry) -> None:
    size = os.fstat(file.fileno()).st_size
    if size != expected.bytes:
        raise _altered(folder, name, f"{size:,} bytes instead of {expected.bytes:,}")


def _check_hash(found: str, folder: Path, name: str, expected: FileEntry) -> None:
    if found != expected.sha256:
        raise _altered(folder, name, "other content")


def _altered(folder: Path, name: str, how: str) -> BundleError:
    return damaged(folder, f"{name} has been altered since it was written ({how})")
