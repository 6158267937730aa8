"""A run that is not finished, beside its place: what was asked for, and the newest checkpoints.

It lies in `NAME.unfinished/` for people to see. Short runs never make one: it appears with the
first checkpoint and goes when the run folder is there.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from clearcnn.bundle.codec import Mismatch, decode
from clearcnn.bundle.manifest import describe_file, software_versions
from clearcnn.bundle.reader import load_manifest
from clearcnn.checkpoints import Checkpoint, CheckpointFolder, encode_checkpoint, write_whole
from clearcnn.errors import BundleError
from clearcnn.results import SCHEMA_VERSION, to_json
from clearcnn.specs import DataSpec, ModelSpec, SplitSpec, TrainSpec
from clearcnn.version import __version__

UNFINISHED = ".unfinished"
REQUEST_NAME = "request.json"
CHECKPOINT_NAME = "checkpoint.npz"

_MOST_REQUEST_BYTES = 16 * 2**20


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
        """Whether there is something to go on with."""
        return (self.folder / REQUEST_NAME).is_file()

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
            self._write_request()
            self._files.save(checkpoint, is_last=is_last)
        except OSError as error:
            if not self._in_trouble:
                self._in_trouble = True
                self._on_trouble(
                    f"{self.folder} cannot be written: {getattr(error, 'problem', error)} Training "
                    "goes on, but could not be gone on with."
                )

    def _write_request(self) -> None:
        if self.exists:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._files.lock()
        write_request(self.folder, self._request)
        self._on_first(self.folder)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nothing: whoever made this holds the folder for longer than the training."""
        yield

    def remove(self) -> None:
        """Remove what is not needed any more; the request first, without which the rest is none.

        What another process has is left to it.
        """
        if not self._files.is_held:
            return
        with suppress(OSError):
            (self.folder / REQUEST_NAME).unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def is_finished_as(folder: Path, run: Path) -> bool:
    """Whether a run folder holds the end of an unfinished run, killed while tidying up."""
    # A BundleError is an OSError.
    with suppress(OSError, KeyError, TypeError, IndexError):
        listed = load_manifest(run)["files"][CHECKPOINT_NAME]
        newest = CheckpointFolder(folder).list_files()[0]
        return bool(describe_file(newest).sha256 == listed["sha256"])
    return False


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
        if path.stat().st_size > _MOST_REQUEST_BYTES:
            raise _damaged(folder, "it is larger than any run writes")
        values = json.loads(path.read_bytes())
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
