"""Checkpoints on the disk: each one a file that is whole and as it was written, or refused.

The form is NPZ: NumPy's own, with a member `checkpoint.json` for what is no array. It needs no
further package, anybody can open it, and read as here it never unpickles. The archive's comment,
its last 64 bytes, is the SHA-256 of all before it, in hexadecimal. safetensors would do as well but
brings no checksum; Orbax spreads a checkpoint over many files, which no single rename can put in
place, and is made for what no one machine holds.

A file is written under another name, flushed to the disk and renamed. Only then is the one before
the previous deleted: if the newest cannot be read, the previous one is gone on from.
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
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clearcnn import atomic_write
from clearcnn.archives import open_archive
from clearcnn.bounded_json import parse_json
from clearcnn.errors import CheckpointError
from clearcnn.regular_files import read_regular

FACTS = "checkpoint.json"
_LOCK = "lock"
_NAME = re.compile(r"epoch-(\d{6,})\.npz")
_HALF_WRITTEN = re.compile(r"\.partial-epoch-\d{6,}\.npz\.\d+")
_HASH_BYTES = 64
_KEPT = 2
_MOST_HEADER_BYTES = 10_000
_MOST_FACTS_BYTES = 64 * 2**20
# Weights, up to four more numbers that an optimizer keeps for each, and the best weights so far.
_MOST_COPIES = 6
_ROOM_BYTES = 16 * 2**20
_MOST_BYTES_OF_PLAIN_ZIP = 2**32 - 1


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A training between two epochs.

    Attributes:
      facts: what JSON can hold; "epoch" counts the epochs that are done.
      arrays: name → array, of dtypes that NumPy knows without help.
    """

    facts: dict[str, Any]
    arrays: dict[str, NDArray[Any]]

    @property
    def epoch(self) -> int:
        """Epochs that are done."""
        return int(self.facts["epoch"])


class CheckpointStore(Protocol):
    """Where a training keeps its checkpoints."""

    def load(self) -> Checkpoint | None:
        """Give what to go on from, or None."""

    def save(self, checkpoint: Checkpoint, *, is_last: bool) -> None:
        """Keep one; `is_last` says that the training ends with it."""

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
    """Write a checkpoint as an NPZ that ends in its own SHA-256."""
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
    """Read what `encode_checkpoint` wrote, and nothing else.

    Args:
      content: of the file.
      where: the file, for messages.
    Raises:
      CheckpointError: it is not whole, has been altered, or is no checkpoint.
    """
    whole = memoryview(content)
    digest = hashlib.sha256(whole[:-_HASH_BYTES]).hexdigest()
    if digest.encode() != bytes(whole[-_HASH_BYTES:]):
        raise _damaged(where, "its checksum does not agree with its content")
    try:
        with _open(content) as archive:
            members = archive.infolist()
            if any(m.compress_type != zipfile.ZIP_STORED for m in members):
                raise ValueError("a member is compressed")
            # Stored members are no larger than the file, unless they lie over each other.
            if sum(m.file_size for m in members) > len(content):
                raise ValueError("its members are larger than itself")
            if archive.getinfo(FACTS).file_size > _MOST_FACTS_BYTES:
                raise ValueError(f"{FACTS} is larger than any training writes")
            facts = parse_json(archive.read(FACTS))
            if not isinstance(facts, dict) or type(facts.get("epoch")) is not int:
                raise ValueError(f"{FACTS} does not say the epoch")
            arrays = {
                m.filename.removesuffix(".npy"): _read_array(archive.read(m))
                for m in members
                if m.filename != FACTS
            }
    # zipfile, NumPy and json raise almost any kind for what is none of theirs.
    except Exception as error:
        raise _damaged(where, " ".join(str(error).split())) from error
    return Checkpoint(facts, arrays)


def limit_checkpoint_bytes(parameters: int) -> int:
    """The most bytes of a checkpoint of a run whose model has so many parameters."""
    return 4 * parameters * _MOST_COPIES + _MOST_FACTS_BYTES + _ROOM_BYTES


class CheckpointFolder:
    """A folder with the newest checkpoints of one training, which one process has at a time.

    Args:
      folder: made with the first checkpoint.
      warn: is told, in a sentence, of a damaged checkpoint that was passed over.
      most_bytes: no larger checkpoint is read; None reads any size.
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
        self._lock: Any = None
        # Files that this object wrote or read, and so may delete.
        self._known: set[Path] = set()

    def load(self) -> Checkpoint | None:
        """Read the newest checkpoint that is whole.

        A damaged one is passed over with a warning.

        Raises:
          CheckpointError: there are checkpoints, but none that can be read.
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
                    f"{problem.problem} The one before it, after {found.epoch} epochs, is gone on "
                    "from."
                )
            return found
        if problem is not None:
            raise problem
        return None

    def save(self, checkpoint: Checkpoint, *, is_last: bool = False) -> None:  # noqa: ARG002
        """Write one; the one before stays beside it, and those before that are deleted.

        What is no checkpoint, or a damaged one, is neither replaced nor deleted, whatever its
        name: it may be somebody else's.

        Raises:
          CheckpointError: it cannot be written; those before are as they were.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.lock()
            path = self.folder / f"epoch-{checkpoint.epoch:06}.npz"
            if os.path.lexists(path) and not self._is_checkpoint(path):
                raise OSError(None, f"{path.name} is there, and is no whole checkpoint")
            write_whole(path, encode_checkpoint(checkpoint))
            self._known.add(path)
            files = self.list_files()
            at = files.index(path)
            # What is newer could not be read when this training began.
            for old in (*files[:at], *files[at + _KEPT :]):
                if self._is_checkpoint(old):
                    old.unlink(missing_ok=True)
        except CheckpointError:
            raise
        except OSError as error:
            newest = self.list_files()
            raise CheckpointError(
                f"A checkpoint cannot be written to {self.folder}: {error.strerror or error}.",
                remedy="Make room, or give another folder. "
                + (f"{newest[0].name} is as it was." if newest else "None was written before."),
            ) from error

    def list_files(self) -> list[Path]:
        """The checkpoints, the newest first."""
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
        """Whether a file of such a name was written by clearcnn."""
        if path not in self._known:
            with suppress(CheckpointError):
                self._read(path)
        return path in self._known

    @property
    def is_held(self) -> bool:
        """Whether this process has the folder for itself."""
        return self._lock is not None

    def lock(self) -> None:
        """Have the folder for this process alone, until it ends or calls `unlock`.

        Raises:
          CheckpointError: another one has it, or it cannot be locked.
        """
        if self._lock is not None or not self.folder.is_dir():
            return
        import filelock

        lock = filelock.FileLock(self.folder / _LOCK, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout as error:
            raise CheckpointError(
                f"Another process is training with {self.folder}.",
                remedy="Wait until it has ended, or give another folder.",
            ) from error
        except OSError as error:
            raise CheckpointError(
                f"{self.folder} cannot be locked: {error.strerror or error}.",
                remedy="Check its permissions, or give another folder.",
            ) from error
        self._lock = lock
        for left in self.folder.iterdir():
            if _HALF_WRITTEN.fullmatch(left.name):
                with suppress(OSError):
                    left.unlink()

    def unlock(self) -> None:
        """Let another process have it."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Have the folder, if it is there, within; and what `save` has locked, to the end of it."""
        self.lock()
        try:
            yield
        finally:
            self.unlock()


def is_own_name(name: str) -> bool:
    """Whether a file in a folder of checkpoints has a name that a training gives."""
    return name == _LOCK or any(each.fullmatch(name) for each in (_NAME, _HALF_WRITTEN))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under another name, flush it to the disk, and rename it.

    Raises:
      OSError: it cannot be written; what was there is as it was.
    """
    aside = path.with_name(f".partial-{path.name}.{os.getpid()}")
    try:
        # What a killed process left is not written into: it may be a link by now.
        aside.unlink(missing_ok=True)
        with aside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)
    atomic_write.flush_names(path.parent)


def _warn(sentence: str) -> None:
    warnings.warn(sentence, RuntimeWarning, stacklevel=3)


def _open(content: bytes) -> zipfile.ZipFile:
    file = io.BytesIO(content)
    # Larger ones have the longer list of members that `open_archive` does not take.
    return open_archive(file) if len(content) < _MOST_BYTES_OF_PLAIN_ZIP else zipfile.ZipFile(file)


def _read_array(content: bytes) -> NDArray[Any]:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"an array is of the version {version}")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(file, _MOST_HEADER_BYTES)
    start = file.tell()
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(content) - start:
        raise ValueError("an array is not as long as it says")
    flat = np.frombuffer(content, dtype, offset=start)
    return flat.reshape(shape, order="F" if fortran else "C")


def _damaged(where: Path | str, what: str) -> CheckpointError:
    return CheckpointError(
        f"The checkpoint {where} cannot be gone on from: {what}.",
        remedy="Restore it from a copy, or delete it and train from the start.",
    )
