"""An unfinished run: its request and its newest checkpoints, in `NAME.unfinished/`.

The folder appears with the first checkpoint, so short runs never have one, and is removed when the
run folder is complete. It is created atomically together with its request: a folder without a
request belongs to somebody else, and so does every file in it with another name than those below.
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
from clearcnn.language import say
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
    """What a run was asked to do: enough to resume it with the same images.

    Attributes:
      recipe: the name of the recipe.
      data, split, model, train: the specs of the run.
      content_hash: of the images.
      command: the command that reproduces the result.
      notes: sentences for the report about how the run was started.
      versions: of the software that started it, by name.
      clearcnn: the version that started it.
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
    """Make the request of a run that starts now; `versions` None takes the installed ones."""
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
    """The checkpoint store of a run, for `fit`.

    Args:
      files: the folder `NAME.unfinished`, locked by the caller.
      request: written before the first checkpoint.
      start: the checkpoint to resume from; None starts with the first epoch.
      on_first: called with the folder after it was created.
      on_trouble: called with a sentence, once, if a checkpoint cannot be written.

    Attributes:
      last: the bytes of the last checkpoint of the training.
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
        """Whether this run has created its folder, and so can be resumed."""
        return self._files.is_held

    def load(self) -> Checkpoint | None:
        """Return the checkpoint to resume from."""
        return self._start

    def save(self, checkpoint: Checkpoint, *, is_last: bool) -> None:
        """Write a checkpoint to disk; a last one that is also the first is kept in memory only."""
        if is_last:
            self.last = encode_checkpoint(checkpoint)
            if not self.exists:
                return
        try:
            if not self.exists:
                self._create_folder()
            self._files.save(checkpoint, is_last=is_last)
        except OSError as error:
            if not self._in_trouble:
                self._in_trouble = True
                why = getattr(error, "problem", None) or f"{error.strerror or error}."
                self._on_trouble(
                    say(
                        "No checkpoint can be written to {folder}: {why} Training continues. "
                        "{consequence}",
                        folder=self.folder,
                        why=why,
                        consequence=self._describe_resumption(),
                    )
                )

    def _create_folder(self) -> None:
        """Create the folder together with its request, atomically."""
        self._raise_if_taken()
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write.open_draft(self.folder.parent, self.folder.name) as draft:
            made = draft / self.folder.name
            made.mkdir()
            write_request(made, self._request)
            inode = made.stat().st_ino
            try:
                atomic_write.publish(made, self.folder)
            except FileExistsError:
                self._raise_if_taken()
                raise
            finally:
                # A signal that ends the training at this point must not hide the folder.
                with suppress(OSError):
                    if self.folder.stat().st_ino == inode:
                        self._on_first(self.folder)
        self._files.lock()

    def _raise_if_taken(self) -> None:
        if os.path.lexists(self.folder):
            raise OSError(None, say("the folder already exists and belongs to another run"))

    def _describe_resumption(self) -> str:
        newest = self._files.list_files() if self.exists else []
        if not newest:
            return say("If it is interrupted, it must start again from the first epoch.")
        return say("If it is interrupted, it can be resumed from {name}.", name=newest[0].name)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """No-op: the caller already holds the lock."""
        yield

    def remove(self) -> tuple[str, ...]:
        """Remove the folder: its request first, without which it is not a run any more.

        A folder that another process has locked is left alone.

        Returns:
          The names of other files in it, which stay there, and so does the folder.
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
    """Whether a run is the finished form of an unfinished one, killed during its removal."""
    # A BundleError is an OSError.
    with suppress(OSError, KeyError, TypeError, IndexError):
        listed = load_manifest(run)["files"][CHECKPOINT_NAME]
        newest = CheckpointFolder(folder).list_files()[0]
        with open_regular(newest, most_bytes=listed["bytes"]) as file:
            return bool(hashlib.file_digest(file, "sha256").hexdigest() == listed["sha256"])
    return False


def may_be_unfinished(folder: Path) -> bool:
    """Whether a folder contains a request file, valid or not."""
    return os.path.lexists(folder / REQUEST_NAME)


def unfinished_place(run: Path) -> Path:
    """Return the path of the unfinished run that will become `run`."""
    return run.with_name(run.name + UNFINISHED)


def write_request(folder: Path, request: Request) -> None:
    """Write the request of a run, atomically.

    Raises:
      OSError: it cannot be written.
    """
    content = json.dumps(to_json(request), ensure_ascii=False, indent=2) + "\n"
    write_whole(folder / REQUEST_NAME, content.encode("utf-8", "backslashreplace"))


def read_request(folder: Path) -> Request:
    """Read the request of an unfinished run.

    Raises:
      BundleError: there is no request, or it is damaged or has another schema version.
    """
    path = folder / REQUEST_NAME
    try:
        values = parse_json(read_regular(path, _MOST_REQUEST_BYTES))
        version = values["schema_version"]
        if version != SCHEMA_VERSION:
            raise _damaged(
                folder,
                say(
                    "its schema version is {version}, but this clearcnn reads {schema_version}",
                    version=version,
                    schema_version=SCHEMA_VERSION,
                ),
            )
        request: Request = decode(Request, values, "request")
    except BundleError:
        raise
    except OSError as error:
        raise BundleError(
            say("{path} cannot be read: {reason}.", path=path, reason=error.strerror or error),
            remedy=say("Name an unfinished run, or train from the start."),
        ) from error
    except (Mismatch, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(folder, str(error)) from error
    return request


def _damaged(folder: Path, what: str) -> BundleError:
    return BundleError(
        say(
            "The {request_name} of {folder} is damaged: {what}.",
            request_name=REQUEST_NAME,
            folder=folder,
            what=what,
        ),
        remedy=say("Restore it from a backup, or delete the folder and train from the start."),
    )
