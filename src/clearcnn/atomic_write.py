"""Drafts: what is written under another name first, and put into its place in one step.

A draft is a folder, named after what is being made and by whom: `.partial-NAME.PID@HOST~SUM`. SUM
is a checksum of the rest, so that nobody else's folder is taken for a draft. While its process
lives, it holds a lock on the folder. What a killed process left is removed by the next one that
writes there.
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

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PREFIX = ".partial-"
_LONGEST_HOST = 40
_SUM_DIGITS = 12

# So that no thread takes for abandoned what another one has made and not yet locked.
_making = threading.RLock()


@contextmanager
def open_draft(
    parent: Path, name: str, *, prefix: str = PREFIX, mode: int = 0o777
) -> Iterator[Path]:
    """Make a folder to write into, and remove it in the end, whatever happens.

    Args:
      parent: of the folder; it is there. What is put into its place in one step must lie on the
        same disk.
      name: of what is being made.
      prefix: of the folder's name.
      mode: who may read it, less what the umask takes away.
    Yields:
      The folder.
    Raises:
      OSError: it cannot be made.
    """
    draft = parent / name_draft(name, os.getpid(), prefix=prefix)
    lock = None
    with _making:
        remove_abandoned(parent, prefix)
        draft.mkdir(mode)
        # Where folders cannot be opened or locked, it is the living process that tells.
        with suppress(OSError):
            lock = os.open(draft, os.O_RDONLY)
            claim(lock)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def name_draft(name: str, pid: int, *, prefix: str = PREFIX) -> str:
    """Name a draft that a process of this computer makes.

    Args:
      name: of what is being made.
      pid: of the process.
      prefix: of the folder's name.
    """
    start = f"{prefix}{name}.{pid}@{_host()}"
    return f"{start}~{_sum(start)}"


def remove_abandoned(parent: Path, prefix: str = PREFIX) -> set[str]:
    """Remove the drafts of processes that are no more.

    Args:
      parent: of the drafts.
      prefix: of their names.
    Returns:
      The names of what others are making.
    """
    in_the_making = set()
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
                in_the_making.add(name)
    return in_the_making


def say_what_is_left(draft: Path | None) -> str:
    """Say, after a draft was left, what became of it; None is one that was never made."""
    if draft is None:
        return "Nothing was written."
    if os.path.lexists(draft):
        return f"What was written before that could not be removed: {draft}."
    return "What was written before that has been removed."


def claim(descriptor: int) -> bool | None:
    """Lock an open file or folder for as long as it is open, if nobody else has.

    Returns:
      True if it is ours, False if it is another's, None if locks are not known there.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno == errno.EWOULDBLOCK else None
    return True


def flush(path: Path) -> None:
    """Have the disk take a file, or all that is in a folder.

    Raises:
      OSError: it cannot.
    """
    inside = list(path.rglob("*")) if path.is_dir() else [path]
    for file in inside:
        if file.is_file():
            with file.open("r+b") as opened:
                os.fsync(opened.fileno())
    for folder in (*inside, path):
        if folder.is_dir():
            flush_names(folder)


def flush_names(folder: Path) -> None:
    """Have the disk take which files there are in a folder.

    Raises:
      OSError: it cannot.
    """
    # Windows cannot open a directory, and needs no flush to keep a rename.
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def put(draft: Path, place: Path) -> None:
    """Flush a finished file or folder and give it its place, in one step; nothing is replaced.

    Args:
      draft: the file or folder; afterwards it need not be there any more.
      place: on the same disk.
    Raises:
      FileExistsError: something is there, put there by another process perhaps.
      OSError: it cannot be flushed or renamed; the place is as it was.
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
        _put_file(draft, place)
    with suppress(OSError):
        flush_names(place.parent)


def _put_file(draft: Path, place: Path) -> None:
    # A rename would replace a file; a second name does not.
    try:
        os.link(draft, place)
    except FileExistsError:
        raise
    except OSError:
        # Some disks know no second names.
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
            lock = claim(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        pass
    # One that has our number was killed, if it does not hold its lock: in a container that is
    # started anew, numbers come again. Of two containers, each takes the other's for dead.
    return lock is True if is_ours else lock is not False


def _is_alive(pid: int) -> bool:
    # Windows has no signal 0: what is there stays there.
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
