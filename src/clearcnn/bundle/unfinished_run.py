"""A run that is not finished, beside its place: what was asked for, and the newest checkpoints.

It lies in `NAME.unfinished/` for people to see. Short runs never make one: it appears with the
first checkpoint and goes when the run folder is there. What makes it ours is its request, with
which it appears in one step; a folder without one is somebody else's, and so is every file in it
that has another name than those below.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from clearcnn import atomic_write
from clearcnn.bounded_json import parse_json
from clearcnn.bundle.manifest import software_versions
from clearcnn.bundle.reader import load_manifest
from clearcnn.checkpoints import (
    Checkpoint,
    CheckpointFolder,
    encode_checkpoint,
    is_own_name,
    write_whole,
)
from clearcnn.errors import BundleError
from clearcnn.regular_files import open_regular, read_regular
from clearcnn.results.json_codec import SCHEMA_VERSION, Mismatch, decode, to_json
from clearcnn.specs import DataSpec, ModelSpec, SplitSpec, TrainSpec
from clearcnn.version import __version__

UNFINISHED = ".unfinished"
REQUEST_NAME = "request.json"
CHECKPOINT_NAME = "checkpoint.npz"

_MOST_REQUEST_BYTES = 4 * 2**20
_HALF_WRITTEN = re.compile(r"\.partial-request\.json\.\d+")


@dataclass(frozen=True)
class Request:
    """What a run was asked to do: enough to go on with it, given the same images.

    Attributes:
      recipe: its name.
      data, split, model, train: as they were decided on.
      content_hash: of the images.
      command: what to type for the same result.
      notes: what the report says of how the run came about, one sentence each.
      versions: of the software that began it, by name.
      clearcnn: the version that began it.
      created: UTC, ISO 8601, to the second.
      schema_version: of the run folder.
      signature: as in the manifest.
    """

    recipe: str
    data: DataSpec
    split: SplitSpec
    model: ModelSpec
    train: TrainSpec
    content_hash: str
    command: str
    notes: tuple[str, ...]
    versions: dict[str, str]
    clearcnn: str
    created: str
    schema_version: int
    signature: str | None = None


def make_request(
    *,
    recipe: str,
    data: DataSpec,
    split: SplitSpec,
    model: ModelSpec,
    train: TrainSpec,
    content_hash: str,
    command: str,
    notes: tuple[str, ...] = (),
    versions: dict[str, str] | None = None,
) -> Request:
    """Make the request of a run that begins now; `versions` of software are today's if None."""
    return Request(
        recipe=recipe,
        data=data,
        split=split,
        model=model,
        train=train,
        content_hash=content_hash,
        command=command,
        notes=notes,
        versions=versions or software_versions(),
        clearcnn=__version__,
        created=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        schema_version=SCHEMA_VERSION,
    )


class UnfinishedRun:
    """Where a run keeps its checkpoints; what `fit` takes for its store.

    Args:
      files: `NAME.unfinished`, held by whoever made this.
      request: written before the first checkpoint, if it is not there.
      start: the checkpoint to go on from; None begins with the first epoch.
      on_first: called with the folder when there is something to go on with.
      on_trouble: called with a sentence, once, when a checkpoint cannot be written.

    Attributes:
      last: the content of the checkpoint that the training ended with.
    """

    def __init__(
        self,
        files: CheckpointFolder,
        request: Request,
        start: Checkpoint | None = None,
        *,
        on_first: Callable[[Path], None],
        on_trouble: Callable[[str], None],
    ) -> None:
        self.folder = files.folder
        self.last: bytes | None = None
        self._request, self._start = request, start
        self._on_first, self._on_trouble = on_first, on_trouble
        self._in_trouble = False
        self._files = files

    @property
    def exists(self) -> bool:
        """Whether this run has something to go on with; another run of its name may, too."""
        return self._files.is_held

    def load(self) -> Checkpoint | None:
        """Give the checkpoint to go on from."""
        return self._start

    def save(self, checkpoint: Checkpoint, *, is_last: bool) -> None:
        """Keep one on the disk; the last of a run that has kept none so far, in memory only."""
        if is_last:
            self.last = encode_checkpoint(checkpoint)
            if not self.exists:
                return
        try:
            if not self.exists:
                self._begin()
            self._files.save(checkpoint, is_last=is_last)
        except OSError as error:
            if not self._in_trouble:
                self._in_trouble = True
                why = getattr(error, "problem", None) or f"{error.strerror or error}."
                self._on_trouble(
                    f"No checkpoint can be kept in {self.folder}: {why} Training goes on. "
                    f"{self._say_what_is_kept()}"
                )

    def _begin(self) -> None:
        """Make the folder, which is there with its request or not at all."""
        self._refuse_others()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write.open_draft(self.folder.parent, self.folder.name) as draft:
            made = draft / self.folder.name
            made.mkdir()
            write_request(made, self._request)
            try:
                atomic_write.put(made, self.folder)
            except FileExistsError:
                self._refuse_others()
                raise
        self._files.lock()
        self._on_first(self.folder)

    def _refuse_others(self) -> None:
        if os.path.lexists(self.folder):
            raise OSError(None, "it is another run's, or somebody else's")

    def _say_what_is_kept(self) -> str:
        newest = self._files.list_files() if self.exists else []
        if not newest:
            return "Should it stop, it has to begin anew."
        return f"Should it stop, it can be gone on with from {newest[0].name}."

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nothing: whoever made this holds the folder for longer than the training."""
        yield

    def remove(self) -> tuple[str, ...]:
        """Remove what is not needed any more; the request first, without which the rest is none.

        What another process has is left to it.

        Returns:
          The names of files that are not the run's; they stay where they are, and so does the
          folder.
        """
        if not self._files.is_held:
            return ()
        with suppress(OSError):
            (self.folder / REQUEST_NAME).unlink(missing_ok=True)
        for path in self._list():
            if is_own_name(path.name) or _HALF_WRITTEN.fullmatch(path.name):
                with suppress(OSError):
                    path.unlink()
        with suppress(OSError):
            self.folder.rmdir()
        return tuple(sorted(path.name for path in self._list()))

    def _list(self) -> list[Path]:
        try:
            return list(self.folder.iterdir())
        except OSError:
            return []


def is_finished_as(folder: Path, run: Path) -> bool:
    """Whether a run folder holds the end of an unfinished run, killed while tidying up."""
    # A BundleError is an OSError.
    with suppress(OSError, KeyError, TypeError, IndexError):
        listed = load_manifest(run)["files"][CHECKPOINT_NAME]
        newest = CheckpointFolder(folder).list_files()[0]
        with open_regular(newest, most_bytes=listed["bytes"]) as file:
            return bool(hashlib.file_digest(file, "sha256").hexdigest() == listed["sha256"])
    return False


def may_be_unfinished(folder: Path) -> bool:
    """Whether a folder holds a request, of whatever content."""
    return os.path.lexists(folder / REQUEST_NAME)


def unfinished_place(run: Path) -> Path:
    """Where a run that will be `run` lies while it is not finished."""
    return run.with_name(run.name + UNFINISHED)


def write_request(folder: Path, request: Request) -> None:
    """Write what a run is asked to do, whole or not at all.

    Raises:
      OSError: it cannot be written.
    """
    content = json.dumps(to_json(request), ensure_ascii=False, indent=2) + "\n"
    write_whole(folder / REQUEST_NAME, content.encode("utf-8", "backslashreplace"))


def read_request(folder: Path) -> Request:
    """Read what an unfinished run was asked to do.

    Raises:
      BundleError: there is no request, or it is damaged or of another version.
    """
    path = folder / REQUEST_NAME
    try:
        values = parse_json(read_regular(path, _MOST_REQUEST_BYTES))
        version = values["schema_version"]
        if version != SCHEMA_VERSION:
            raise _damaged(folder, f"its schema version is {version}, {SCHEMA_VERSION} is read")
        request: Request = decode(Request, values, "request")
    except BundleError:
        raise
    except OSError as error:
        raise BundleError(
            f"{path} cannot be read: {error.strerror or error}.",
            remedy="Give the place of an unfinished run, or train from the start.",
        ) from error
    except (Mismatch, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(folder, str(error)) from error
    return request


def _damaged(folder: Path, what: str) -> BundleError:
    return BundleError(
        f"The {REQUEST_NAME} of {folder} is not as it was written: {what}.",
        remedy="Restore it from a copy, or delete the folder and train from the start.",
    )
