"""Atomic writing: files are written into a draft folder first, and then renamed in one step.

A draft is named after its target and its process: `.partial-NAME.PID@HOST~SUM`. SUM is a checksum
of the rest, so no other folder is mistaken for a draft. A living process holds a lock on its draft.
The drafts of killed processes are removed by the next process that writes into the same folder.
"""

import errno
import hashlib
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from clearcnn.language import say

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PREFIX = ".partial-"
_LONGEST_HOST = 40
_SUM_DIGITS = 12

# Guards the window between mkdir and flock: no other thread may treat the draft as abandoned.
_making = threading.RLock()


@contextmanager
def open_draft(
    parent: Path, name: str, *, prefix: str = PREFIX, mode: int = 0o777
) -> Iterator[Path]:
    """Create a draft folder, and remove it at the end in any case.

    Args:
      parent: an existing folder, on the same file system as the target.
      name: the name of the target.
      prefix: of the draft's name.
      mode: its permissions, before the umask.
    Yields:
      The draft.
    Raises:
      OSError: it cannot be created.
    """
    draft = parent / name_draft(name, os.getpid(), prefix=prefix)
    lock = None
    with _making:
        remove_abandoned(parent, prefix)
        draft.mkdir(mode)
        # If folders cannot be locked here, only the process id shows that the draft is in use.
        with suppress(OSError):
            lock = os.open(draft, os.O_RDONLY)
            try_lock(lock)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def name_draft(name: str, pid: int, *, prefix: str = PREFIX) -> str:
    """Return the name of a draft of a process on this computer.

    Args:
      name: the name of the target.
      pid: of the process.
      prefix: of the draft's name.
    """
    start = f"{prefix}{name}.{pid}@{_host()}"
    return f"{start}~{_sum(start)}"


def remove_abandoned(parent: Path, prefix: str = PREFIX) -> set[str]:
    """Remove the drafts of processes that no longer run.

    Args:
      parent: the folder of the drafts.
      prefix: of their names.
    Returns:
      The names of the targets that other processes are writing.
    """
    in_progress = set()
    with _making:
        for draft in parent.glob(f"{prefix}*.*@*~*"):
            start, _, found = draft.name.rpartition("~")
            if found != _sum(start):
                continue
            name, _, owner = start.removeprefix(prefix).rpartition(".")
            pid, _, host = owner.partition("@")
            if host == _host() and pid.isdecimal() and _is_abandoned(draft, int(pid)):
                shutil.rmtree(draft, ignore_errors=True)
            else:
                in_progress.add(name)
    return in_progress


def describe_leftovers(draft: Path | None) -> str:
    """Describe what happened to a draft after an error; None means that it was never created."""
    if draft is None:
        return say("Nothing was written.")
    if os.path.lexists(draft):
        return say("The partial output could not be removed: {draft}.", draft=draft)
    return say("The partial output has been removed.")


def try_lock(descriptor: int) -> bool | None:
    """Try to lock an open file or folder until it is closed.

    Returns:
      True if the lock was acquired, False if another process holds it, None if locks are not
      supported there.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno == errno.EWOULDBLOCK else None
    return True


def flush(path: Path) -> None:
    """Flush a file, or everything in a folder, to disk.

    Raises:
      OSError: the flush fails.
    """
    inside = list(path.rglob("*")) if path.is_dir() else [path]
    for file in inside:
        if file.is_file():
            with file.open("r+b") as opened:
                os.fsync(opened.fileno())
    for folder in (*inside, path):
        if folder.is_dir():
            flush_directory(folder)


def flush_directory(folder: Path) -> None:
    """Flush the directory of a folder, the names of its files, to disk.

    Raises:
      OSError: the flush fails.
    """
    # Windows cannot open a directory, and needs no flush after a rename.
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(draft: Path, place: Path) -> None:
    """Flush a finished file or folder and move it atomically; nothing is overwritten.

    Args:
      draft: the file or folder; it may no longer exist afterwards.
      place: the target, on the same file system.
    Raises:
      FileExistsError: the target exists.
      OSError: it cannot be flushed or moved; the target is unchanged.
    """
    flush(draft)
    if draft.is_dir():
        try:
            draft.rename(place)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.ENOTDIR):
                raise
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place)) from error
    else:
        _publish_file(draft, place)
    with suppress(OSError):
        flush_directory(place.parent)


def _publish_file(draft: Path, place: Path) -> None:
    # A rename would overwrite a file; a hard link does not.
    try:
        os.link(draft, place)
    except FileExistsError:
        raise
    except OSError:
        # Some file systems have no hard links.
        if os.path.lexists(place):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place)) from None
        draft.rename(place)


def _is_abandoned(draft: Path, pid: int) -> bool:
    is_ours = pid == os.getpid()
    if not is_ours and _is_alive(pid):
        return False
    lock = None
    try:
        descriptor = os.open(draft, os.O_RDONLY)
        try:
            lock = try_lock(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        pass
    # A draft with our own process id and no lock belongs to a killed process: a restarted container
    # reuses ids. Two containers with one host name cannot see each other's processes.
    return lock is True if is_ours else lock is not False


def _is_alive(pid: int) -> bool:
    # Windows has no signal 0; every process counts as alive.
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _sum(start: str) -> str:
    return hashlib.sha256(os.fsencode(f"clearcnn {start}")).hexdigest()[:_SUM_DIGITS]


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", socket.gethostname())[:_LONGEST_HOST]
