"""The only reader of the files in a run folder: regular files of the size and hash in the manifest.

A run folder may come from a stranger. Callers get bytes from here and never a path: a path could
lead to another file by the time it is opened.
"""

import hashlib
import os
from io import BufferedReader
from pathlib import Path, PurePosixPath

from clearcnn.bundle.manifest import MANIFEST_NAME, FileEntry
from clearcnn.errors import BundleError
from clearcnn.language import say
from clearcnn.regular_files import RejectedFileError, open_regular, resolve_within


def open_member(folder: Path, name: str) -> BufferedReader:
    """Open a file of a run folder for reading.

    Args:
      folder: the run folder; it may itself be a link.
      name: with forward slashes, as the manifest lists it.
    Raises:
      BundleError: the name or a link leads out of the folder; there is no such file; or it is a
        folder, a pipe or a device.
    """
    # Only the form that clearcnn writes, so that no file has two names, such as "a" and "./a".
    plain = PurePosixPath(name)
    is_plain = name == str(plain) and plain.parts and not plain.is_absolute()
    if not is_plain or ".." in plain.parts or any(letter in name for letter in "\\:\0"):
        raise damaged(
            folder,
            say(
                "its {manifest_name} lists {name!r}, which is outside it",
                manifest_name=MANIFEST_NAME,
                name=name[:100],
            ),
        )
    try:
        return open_regular(resolve_within(folder / name, folder))
    except RejectedFileError as error:
        raise damaged(
            folder,
            say("{name} cannot be read: {reason}", name=name[:100], reason=error.strerror),
        ) from None
    # A name may be too long for a file, or not Unicode.
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise damaged(folder, say("{name} is missing", name=name[:100])) from None
    except OSError as error:
        raise unreadable(folder / name[:100], error) from error


def check_member(folder: Path, name: str, expected: FileEntry) -> None:
    """Check the size and the hash of a file, without holding it in memory.

    Raises:
      BundleError: as `open_member`, or its size or hash is not that of the manifest.
    """
    with open_member(folder, name) as file:
        _check_size(file, folder, name, expected)
        try:
            digest = hashlib.file_digest(file, "sha256")
        except OSError as error:
            raise unreadable(folder / name, error) from error
    _check_hash(digest.hexdigest(), folder, name, expected)


def read_member(folder: Path, name: str, expected: FileEntry, most_bytes: int) -> bytes:
    """Read a file and check it against the manifest.

    Args:
      folder, name: as for `open_member`.
      expected: the manifest's entry.
      most_bytes: the most that a run with this manifest can have written.
    Raises:
      BundleError: as `check_member`, or it is larger.
    """
    if expected.bytes > most_bytes:
        raise damaged(
            folder,
            say(
                "{name} has {bytes:,} bytes; a run with this manifest writes at most "
                "{most_bytes:,}",
                name=name,
                bytes=expected.bytes,
                most_bytes=most_bytes,
            ),
        )
    with open_member(folder, name) as file:
        _check_size(file, folder, name, expected)
        content = _read(file, folder / name, expected.bytes)
    _check_hash(hashlib.sha256(content).hexdigest(), folder, name, expected)
    return content


def read_manifest_file(folder: Path, most_bytes: int) -> bytes:
    """Read a run folder's `bundle.json`, whose hash is recorded nowhere.

    Raises:
      BundleError: as `open_member`, or it is larger.
    """
    with open_member(folder, MANIFEST_NAME) as file:
        content = _read(file, folder / MANIFEST_NAME, most_bytes + 1)
    if len(content) > most_bytes:
        raise damaged(
            folder,
            say("its {manifest_name} is larger than any run writes", manifest_name=MANIFEST_NAME),
        )
    return content


def damaged(folder: Path, what: str) -> BundleError:
    """Make the error for a damaged run folder; `what` is a clause."""
    return BundleError(
        say("The run folder {folder} is damaged: {what}.", folder=folder, what=what),
        remedy=say("Restore it from a backup, or train again."),
    )


def unreadable(path: Path, error: OSError) -> BundleError:
    """Make the error for a file that the operating system cannot read."""
    return BundleError(
        say("{path} cannot be read: {reason}.", path=path, reason=error.strerror or error),
        remedy=say("Check its permissions and the disk."),
    )


def _read(file: BufferedReader, path: Path, most_bytes: int) -> bytes:
    try:
        return file.read(most_bytes)
    except OSError as error:
        raise unreadable(path, error) from error


def _check_size(file: BufferedReader, folder: Path, name: str, expected: FileEntry) -> None:
    size = os.fstat(file.fileno()).st_size
    if size != expected.bytes:
        raise _altered(
            folder,
            name,
            say("{size:,} bytes instead of {bytes:,}", size=size, bytes=expected.bytes),
        )


def _check_hash(found: str, folder: Path, name: str, expected: FileEntry) -> None:
    if found != expected.sha256:
        raise _altered(folder, name, say("other content"))


def _altered(folder: Path, name: str, how: str) -> BundleError:
    return damaged(
        folder, say("{name} has been altered since it was written ({how})", name=name, how=how)
    )
