"""A run folder in the making: one that exists under its own name is whole.

Files are written into a hidden folder beside the final one, flushed to the disk, and appear
together by one rename. Whatever goes wrong before that, nothing is left.
"""

import errno
import os
import re
import shutil
import socket
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from clearcnn.bundle.unfinished import unfinished_place
from clearcnn.errors import BundleError, ClearCNNError

_LONGEST_SLUG = 40
_TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}


@dataclass
class RunFolder:
    """Where a run is written, and where it will be.

    Attributes:
      partial: the temporary folder to write into.
      path: the final place, absolute. If somebody takes it while the run goes on, it becomes
        the next free one (-2, -3, …) when the run is finished.
    """

    partial: Path
    path: Path


@contextmanager
def open_run_folder(
    source: str, *, out: Path | None = None, parent: Path = Path("runs")
) -> Iterator[RunFolder]:
    """Make a run folder; enter it before training, so that what is wrong shows at once.

    Args:
      source: what the user asked to train on, such as "digits" or a path; names the folder.
      out: the exact place, which must not exist yet or be an empty folder; None makes
        `<parent>/<source>-<UTC time>/`.
      parent: where run folders without `out` go.
    Yields:
      A RunFolder. Left without an exception, `partial` is flushed and renamed to `path`;
      left by any exception, KeyboardInterrupt too, it is removed.
    Raises:
      BundleError: the place is taken or cannot be written, at the start; or writing fails
        later (any OSError that does not name a file elsewhere).
    """
    wanted = _choose_place(source, out, parent)
    made = [folder for folder in wanted.parents if not folder.exists()]
    run = None
    finished = False
    try:
        run = _make_partial(wanted, exact=out is not None)
        yield run
        _flush(run.partial)
        run.path = _publish(run)
        finished = True
    except OSError as error:
        if isinstance(error, ClearCNNError) or (run and not _concerns(error, run.partial)):
            raise
        raise BundleError(
            f"The run folder {wanted} cannot be written: {error.strerror or error}.",
            remedy="Make room or give another place with --out; nothing was left behind.",
        ) from error
    finally:
        if run is not None:
            shutil.rmtree(run.partial, ignore_errors=True)
        if not finished:
            for folder in made:
                with suppress(OSError):
                    folder.rmdir()


def name_run(source: str, now: datetime) -> str:
    """Name a run folder after its source and time, such as "digits-20260102T030405Z"."""
    return f"{shorten_name(source)}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def shorten_name(source: str) -> str:
    """Make of a source, or of any path, a name for a folder.

    Letters of any script stay; everything else becomes a hyphen. Of a path the last part
    counts, a prefix such as "folder:" does not.
    """
    place = re.sub(r"^[a-z0-9]{2,}:(?=.)", "", source).replace("\\", "/").rstrip("/")
    last = place.rpartition("/")[2]
    if last in ("", ".", ".."):
        last = Path(place or ".").resolve().name
    slug = re.sub(r"[^\w]+", "-", unicodedata.normalize("NFC", last)).strip("-_")
    return slug[:_LONGEST_SLUG].rstrip("-_") or "run"


def _choose_place(source: str, out: Path | None, parent: Path) -> Path:
    if out is None:
        return parent.resolve() / name_run(source, datetime.now(UTC))
    place = out.resolve()
    try:
        free = not place.exists() or (place.is_dir() and not any(place.iterdir()))
    except OSError as error:
        raise BundleError(
            f"{out} cannot be looked into: {error.strerror or error}.",
            remedy="Give another place with --out.",
        ) from error
    if not free:
        kind = "a folder that is not empty" if place.is_dir() else "a file"
        raise BundleError(
            f"{out} exists and is {kind}; a run is never written over what is there.",
            remedy="Give --out a new name or an empty folder.",
        )
    if place.is_mount():
        raise BundleError(
            f"{out} is a mount point, which cannot be replaced by a finished run.",
            remedy=f"Give --out a new folder inside it, such as {out / 'run'}.",
        )
    return place


def _make_partial(wanted: Path, *, exact: bool) -> RunFolder:
    wanted.parent.mkdir(parents=True, exist_ok=True)
    in_the_making = _remove_stale(wanted.parent)
    path = next(
        path
        for path in _numbered(wanted)
        if exact
        or not (path.exists() or path.name in in_the_making or unfinished_place(path).exists())
    )
    partial = path.with_name(f".partial-{path.name}.{os.getpid()}@{_host()}")
    partial.mkdir()
    return RunFolder(partial, path)


def _remove_stale(parent: Path) -> set[str]:
    """Remove what killed processes of this machine left; name what others are making."""
    in_the_making = set()
    for partial in parent.glob(".partial-*.*@*"):
        name, _, owner = partial.name.removeprefix(".partial-").rpartition(".")
        pid, _, host = owner.partition("@")
        if host == _host() and pid.isdecimal() and not _is_alive(int(pid)):
            shutil.rmtree(partial, ignore_errors=True)
        else:
            in_the_making.add(name)
    return in_the_making


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


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", socket.gethostname())[:_LONGEST_SLUG]


def _numbered(wanted: Path) -> Iterator[Path]:
    yield wanted
    for number in count(2):
        yield wanted.with_name(f"{wanted.name}-{number}")


def _flush(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("r+b") as file:
                os.fsync(file.fileno())
    for path in (*(p for p in folder.rglob("*") if p.is_dir()), folder):
        _flush_directory(path)


def _flush_directory(folder: Path) -> None:
    # Windows cannot open a directory, and needs no flush to keep a rename.
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _publish(run: RunFolder) -> Path:
    for path in _numbered(run.path):
        # Only an empty folder can be removed so; Windows renames onto nothing else.
        with suppress(OSError):
            path.rmdir()
        try:
            run.partial.rename(path)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            continue
        with suppress(OSError):
            _flush_directory(path.parent)
        return path
    raise AssertionError("unreachable: numbers do not end")


def _concerns(error: OSError, partial: Path) -> bool:
    names = [name for name in (error.filename, error.filename2) if name is not None]
    if not names or isinstance(names[0], int):
        return True
    return any(Path(os.fsdecode(name)).absolute().is_relative_to(partial) for name in names)
