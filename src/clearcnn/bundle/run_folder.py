"""Atomic writing of run folders: one that exists under its own name is complete.

Files are written into a hidden folder beside the final one, flushed to disk, and published together
by one rename. If anything fails before that, nothing is left.
"""

import errno
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from clearcnn import atomic_write
from clearcnn.bundle.unfinished_run import unfinished_place
from clearcnn.errors import BundleError, ClearCNNError
from clearcnn.language import say

_LONGEST_SLUG = 40
_TAKEN = {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}


@dataclass
class RunFolder:
    """The temporary and the final path of a run folder.

    Attributes:
      partial: the temporary folder to write into.
      path: the final path, absolute. If it is taken during the run, the next free one (-2, -3, …)
        is used when the run is finished.
    """

    partial: Path
    path: Path


@contextmanager
def open_run_folder(
    source: str, *, out: Path | None = None, parent: Path = Path("runs")
) -> Iterator[RunFolder]:
    """Create a run folder; enter it before training, so that problems raise at once.

    Args:
      source: the data source that the user named, such as "digits" or a path; names the folder.
      out: the exact path, which must not exist or be an empty folder; None creates
        `<parent>/<source>-<UTC time>/`.
      parent: the folder of run folders without `out`.
    Yields:
      A RunFolder. On a normal exit, `partial` is flushed and renamed to `path`; on any exception,
      KeyboardInterrupt too, it is removed.
    Raises:
      BundleError: on entering, the path is taken or cannot be written; later, writing fails (any
        OSError that does not name a file elsewhere).
    """
    wanted = _choose_place(source, out, parent)
    made = [folder for folder in wanted.parents if not folder.exists()]
    run = None
    finished = False
    try:
        with ExitStack() as stack:
            run = _make_partial(stack, wanted, exact=out is not None)
            yield run
            atomic_write.flush(run.partial)
            run.path = _publish(run)
            finished = True
    except OSError as error:
        if isinstance(error, ClearCNNError) or (run and not _concerns(error, run.partial)):
            raise
        raise BundleError(
            say(
                "The run folder {wanted} cannot be written: {reason}.",
                wanted=wanted,
                reason=error.strerror or error,
            ),
            remedy=say("Free disk space, or choose another folder with --out. ")
            + atomic_write.describe_leftovers(None if run is None else run.partial),
        ) from error
    finally:
        if not finished:
            for folder in made:
                with suppress(OSError):
                    folder.rmdir()


def name_run(source: str, now: datetime) -> str:
    """Return the name of a run folder by its source and time: "digits-20260102T030405Z"."""
    return f"{shorten_name(source)}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def shorten_name(source: str) -> str:
    """Convert a source, or any path, to a name for a folder.

    Letters of any script are kept; everything else becomes a hyphen. Only the last component of a
    path is used, without a prefix such as "folder:".
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
            say("{out} cannot be read: {reason}.", out=out, reason=error.strerror or error),
            remedy=say("Choose another folder with --out."),
        ) from error
    if not free:
        kind = say("a folder that is not empty") if place.is_dir() else "a file"
        raise BundleError(
            say(
                "{out} already exists and is {kind}; a run never overwrites anything.",
                out=out,
                kind=kind,
            ),
            remedy=say("Choose a new name or an empty folder with --out."),
        )
    if place.is_mount():
        raise BundleError(
            say("{out} is a mount point, which a finished run cannot replace.", out=out),
            remedy=say("Choose a new folder inside it with --out, such as {out}.", out=out / "run"),
        )
    return place


def _make_partial(stack: ExitStack, wanted: Path, *, exact: bool) -> RunFolder:
    wanted.parent.mkdir(parents=True, exist_ok=True)
    in_progress = atomic_write.remove_abandoned(wanted.parent)
    path = next(
        path
        for path in _numbered(wanted)
        if exact or (_is_free(path) and path.name not in in_progress)
    )
    return RunFolder(stack.enter_context(atomic_write.open_draft(path.parent, path.name)), path)


def find_free_place(wanted: Path) -> Path:
    """Return the requested path, or the first free one of NAME-2, NAME-3, ….

    Args:
      wanted: the path of a run folder; an unfinished run of this name does not block it.
    """
    if not os.path.lexists(wanted):
        return wanted
    return next(path for path in _numbered(wanted) if _is_free(path))


def _is_free(place: Path) -> bool:
    return not (os.path.lexists(place) or os.path.lexists(unfinished_place(place)))


def _numbered(wanted: Path) -> Iterator[Path]:
    yield wanted
    for number in count(2):
        yield wanted.with_name(f"{wanted.name}-{number}")


def _publish(run: RunFolder) -> Path:
    for path in _numbered(run.path):
        # POSIX renames onto an empty folder; Windows does not.
        if os.name == "nt":
            with suppress(OSError):
                path.rmdir()
        try:
            run.partial.rename(path)
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            continue
        with suppress(OSError):
            atomic_write.flush_directory(path.parent)
        return path
    raise AssertionError("unreachable")


def _concerns(error: OSError, partial: Path) -> bool:
    names = [name for name in (error.filename, error.filename2) if name is not None]
    if not names or isinstance(names[0], int):
        return True
    return any(Path(os.fsdecode(name)).absolute().is_relative_to(partial) for name in names)
