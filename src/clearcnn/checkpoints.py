"""Checkpoint files, written atomically and checked by a checksum.

The format is NPZ, with a member `checkpoint.json` for everything except arrays. It needs no further
package, NumPy can open it, and it is never unpickled. The archive's comment, its last 64 bytes, is
the SHA-256 of all bytes before it, in hexadecimal. safetensors would work too, but has no checksum;
Orbax uses many files, which no single rename can publish, and is made for distributed training.

A file is written under a temporary name, flushed to disk and renamed. Then all but the newest two
are deleted: if the newest cannot be read, training resumes from the previous one.
"""

import hashlib
import io
import json
import math
import os
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from clearcnn import atomic_write
from clearcnn.archives import open_archive
from clearcnn.bounded_json import parse_json
from clearcnn.errors import CheckpointError
from clearcnn.language import say
from clearcnn.regular_files import read_regular
from clearcnn.types import Array

if TYPE_CHECKING:
    from filelock import FileLock

FACTS = "checkpoint.json"
_LOCK = "lock"
_NAME = re.compile(r"epoch-(\d{6,})\.npz")
_HALF_WRITTEN = re.compile(r"\.partial-epoch-\d{6,}\.npz\.\d+")
_HASH_BYTES = 64
_KEPT = 2
_MOST_HEADER_BYTES = 10_000
_MOST_FACTS_BYTES = 64 * 2**20
# Weights, up to four optimizer variables of the same size, and the best weights so far.
_MOST_COPIES = 6
_ROOM_BYTES = 16 * 2**20
_MOST_BYTES_OF_PLAIN_ZIP = 2**32 - 1


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state of a training between two epochs.

    Attributes:
      facts: JSON values; "epoch" is the number of finished epochs.
      arrays: name → array, of NumPy's own dtypes.
    """

    facts: dict[str, Any]
    arrays: dict[str, Array]

    @property
    def epoch(self) -> int:
        """The number of finished epochs."""
        return int(self.facts["epoch"])


class CheckpointStore(Protocol):
    """A place where a training stores its checkpoints."""

    def load(self) -> Checkpoint | None:
        """Return the checkpoint to resume from, or None."""

    def save(self, checkpoint: Checkpoint, *, is_last: bool) -> None:
        """Store a checkpoint; `is_last` if the training ends with it."""

    def locked(self) -> AbstractContextManager[None]:
        """Return a context in which no other process writes here."""


@dataclass(frozen=True)
class CheckpointTarget:
    """Where a training keeps its checkpoints, and how often.

    Attributes:
      store: where.
      seconds: the least time between two checkpoints, >= 0.
    """

    store: CheckpointStore
    seconds: float


def encode_checkpoint(checkpoint: Checkpoint) -> bytes:
    """Encode a checkpoint as an NPZ file that ends with its SHA-256."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(FACTS), json.dumps(checkpoint.facts))
        for name, array in checkpoint.arrays.items():
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)
        archive.comment = bytes(_HASH_BYTES)
    content = file.getbuffer()
    digest = hashlib.sha256(content[:-_HASH_BYTES]).hexdigest()
    content[-_HASH_BYTES:] = digest.encode()
    return bytes(content)


def decode_checkpoint(content: bytes, where: Path | str) -> Checkpoint:
    """Decode a checkpoint that `encode_checkpoint` wrote.

    Args:
      content: the bytes of the file.
      where: the file, for messages.
    Raises:
      CheckpointError: it is truncated, altered, or not a checkpoint.
    """
    whole = memoryview(content)
    digest = hashlib.sha256(whole[:-_HASH_BYTES]).hexdigest()
    if digest.encode() != bytes(whole[-_HASH_BYTES:]):
        raise _damaged(where, say("its checksum does not match its content"))
    try:
        with _open(content) as archive:
            members = archive.infolist()
            if any(m.compress_type != zipfile.ZIP_STORED for m in members):
                raise ValueError(say("a member is compressed"))
            # Uncompressed members are larger than the file only if they overlap.
            if sum(m.file_size for m in members) > len(content):
                raise ValueError(say("its members are larger than itself"))
            if archive.getinfo(FACTS).file_size > _MOST_FACTS_BYTES:
                raise ValueError(say("{name} is larger than any training writes", name=FACTS))
            facts = parse_json(archive.read(FACTS))
            if not isinstance(facts, dict) or type(facts.get("epoch")) is not int:
                raise ValueError(say("{name} has no epoch", name=FACTS))
            arrays = {
                m.filename.removesuffix(".npy"): _read_array(archive.read(m))
                for m in members
                if m.filename != FACTS
            }
    # zipfile, NumPy and json raise almost any exception on damaged files.
    except Exception as error:
        raise _damaged(where, " ".join(str(error).split())) from error
    return Checkpoint(facts, arrays)


def limit_checkpoint_bytes(parameters: int) -> int:
    """Compute an upper bound on the size of a checkpoint of a model with this many parameters."""
    return 4 * parameters * _MOST_COPIES + _MOST_FACTS_BYTES + _ROOM_BYTES


class CheckpointFolder:
    """A folder with the newest checkpoints of one training, locked by one process at a time.

    Args:
      folder: created with the first checkpoint.
      warn: called with a sentence when a damaged checkpoint is skipped.
      most_bytes: larger checkpoints are rejected; None accepts any size.
    """

    def __init__(
        self,
        folder: Path | str,
        warn: Callable[[str], None] | None = None,
        most_bytes: int | None = None,
    ) -> None:
        self.folder = Path(folder)
        self._warn = warn or _warn
        self._most_bytes = most_bytes
        self._lock: FileLock | None = None
        # Files that this object wrote or read, and may delete.
        self._known: set[Path] = set()

    def load(self) -> Checkpoint | None:
        """Read the newest valid checkpoint; damaged ones are skipped with a warning.

        Raises:
          CheckpointError: there are checkpoints, but none can be read.
        """
        problem = None
        for path in self.list_files():
            try:
                found = self._read(path)
            except CheckpointError as error:
                problem = problem or error
                continue
            if problem is not None:
                self._warn(
                    say(
                        "{problem} Training resumes from the one before it, after {epoch} epochs.",
                        problem=problem.problem,
                        epoch=found.epoch,
                    )
                )
            return found
        if problem is not None:
            raise problem
        return None

    def save(self, checkpoint: Checkpoint, *, is_last: bool = False) -> None:  # noqa: ARG002
        """Write a checkpoint, keep the previous one, and delete older ones.

        A file that is not a valid checkpoint is neither replaced nor deleted, whatever its name: it
        may be somebody else's.

        Raises:
          CheckpointError: it cannot be written; earlier checkpoints are unchanged.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.lock()
            path = self.folder / f"epoch-{checkpoint.epoch:06}.npz"
            if os.path.lexists(path) and not self._is_checkpoint(path):
                raise OSError(
                    None, say("{name} exists and is not a valid checkpoint", name=path.name)
                )
            write_whole(path, encode_checkpoint(checkpoint))
            self._known.add(path)
            files = self.list_files()
            at = files.index(path)
            # Newer ones could not be read when this training started.
            for old in (*files[:at], *files[at + _KEPT :]):
                if self._is_checkpoint(old):
                    old.unlink(missing_ok=True)
        except CheckpointError:
            raise
        except OSError as error:
            newest = self.list_files()
            raise CheckpointError(
                say(
                    "A checkpoint cannot be written to {folder}: {reason}.",
                    folder=self.folder,
                    reason=error.strerror or error,
                ),
                remedy=say("Free disk space, or choose another folder. ")
                + (
                    say("{name} is unchanged.", name=newest[0].name)
                    if newest
                    else say("None was written before.")
                ),
            ) from error

    def list_files(self) -> list[Path]:
        """List the checkpoints, the newest first."""
        try:
            names = [path.name for path in self.folder.iterdir()]
        except OSError:
            return []
        found = [match for name in names if (match := _NAME.fullmatch(name))]
        found.sort(key=lambda match: int(match[1]), reverse=True)
        return [self.folder / match[0] for match in found]

    def _read(self, path: Path) -> Checkpoint:
        try:
            content = read_regular(path, self._most_bytes)
        except (OSError, MemoryError) as error:
            raise _damaged(path, getattr(error, "strerror", None) or str(error)) from error
        found = decode_checkpoint(content, path)
        self._known.add(path)
        return found

    def _is_checkpoint(self, path: Path) -> bool:
        """Whether a file with such a name was written by clearcnn."""
        if path not in self._known:
            with suppress(CheckpointError):
                self._read(path)
        return path in self._known

    @property
    def is_held(self) -> bool:
        """Whether this process holds the lock of the folder."""
        return self._lock is not None

    def lock(self) -> None:
        """Lock the folder, if it exists, until the process ends or calls `unlock`.

        Raises:
          CheckpointError: another process holds the lock, or the folder cannot be locked.
        """
        if self._lock is not None or not self.folder.is_dir():
            return
        import filelock

        lock = filelock.FileLock(self.folder / _LOCK, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise CheckpointError(
                say("Another process is training with {folder}.", folder=self.folder),
                remedy=say("Wait until it has ended, or choose another folder."),
            ) from error
        except OSError as error:
            raise CheckpointError(
                say(
                    "{folder} cannot be locked: {reason}.",
                    folder=self.folder,
                    reason=error.strerror or error,
                ),
                remedy=say("Check its permissions, or choose another folder."),
            ) from error
        self._lock = lock
        for left in self.folder.iterdir():
            if _HALF_WRITTEN.fullmatch(left.name):
                with suppress(OSError):
                    left.unlink()

    def unlock(self) -> None:
        """Release the lock."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the folder, if it exists, and unlock it at the end, even if `save` locked it."""
        self.lock()
        try:
            yield
        finally:
            self.unlock()


def is_own_name(name: str) -> bool:
    """Whether a file has a name that a training uses in a folder of checkpoints."""
    return name == _LOCK or any(each.fullmatch(name) for each in (_NAME, _HALF_WRITTEN))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, flush it to disk, and rename it.

    Raises:
      OSError: it cannot be written; the target is unchanged.
    """
    aside = path.with_name(f".partial-{path.name}.{os.getpid()}")
    try:
        # A file that a killed process left is not reused: it may be a link by now.
        aside.unlink(missing_ok=True)
        with aside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
    atomic_write.flush_directory(path.parent)


def _warn(sentence: str) -> None:
    warnings.warn(sentence, RuntimeWarning, stacklevel=3)


def _open(content: bytes) -> zipfile.ZipFile:
    file = io.BytesIO(content)
    # Larger ones are Zip64, which `open_archive` rejects.
    return open_archive(file) if len(content) < _MOST_BYTES_OF_PLAIN_ZIP else zipfile.ZipFile(file)


def _read_array(content: bytes) -> Array:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(say("an array has the format version {version}", version=version))
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, _MOST_HEADER_BYTES)
    start = file.tell()
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(content) - start:
        raise ValueError(say("an array is not as long as its header states"))
    flat = np.frombuffer(content, dtype, offset=start)
    return flat.reshape(shape, order="F" if fortran else "C")


def _damaged(where: Path | str, what: str) -> CheckpointError:
    return CheckpointError(
        say("The checkpoint {where} cannot be resumed: {what}.", where=where, what=what),
        remedy=say("Restore it from a backup, or delete it and train from the start."),
    )
