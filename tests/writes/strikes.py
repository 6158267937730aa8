"""Writing that fails, or is interrupted, at the n-th of its steps.

A step is whatever changes the disk: a folder or a file made, some bytes written or cut off, a
flush, a rename, a second name. All of Python's own writers come by here: pathlib, csv, zipfile (and
so Keras), Pillow (and so Matplotlib). C code that opens files itself does not; for that there are
real disks that are full.
"""

import builtins
import errno
import io
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

Failure = Callable[[], None]
FileIO = io.FileIO
MAKING = os.O_CREAT | os.O_TRUNC


def fail(code: int) -> Failure:
    """Make the failure of a system call."""

    def strike() -> None:
        raise OSError(code, os.strerror(code))

    return strike


def send(number: int) -> Failure:
    """Make a signal that this process gets."""
    return lambda: os.kill(os.getpid(), number)


FAILURES = {
    "ENOSPC": fail(errno.ENOSPC),
    "EACCES": fail(errno.EACCES),
    "EFBIG": fail(errno.EFBIG),
    "EROFS": fail(errno.EROFS),
    "SIGINT": send(signal.SIGINT),
    "SIGTERM": send(signal.SIGTERM),
    "SIGKILL": send(getattr(signal, "SIGKILL", signal.SIGTERM)),
}


class Strike:
    """Counts the steps below a folder, and strikes at one of them.

    Attributes:
      steps: how many there were.
    """

    def __init__(self, root: Path, at: int, failure: Failure) -> None:
        self.root, self.at, self.failure = root.resolve(), at, failure
        self.steps = 0

    @property
    def struck(self) -> bool:
        return 0 < self.at <= self.steps

    def step(self, place: Any) -> None:
        if isinstance(place, int):
            place = Path(f"/proc/self/fd/{place}").readlink()
        if Path(os.fsdecode(place)).absolute().is_relative_to(self.root):
            self.steps += 1
            if self.steps == self.at:
                self.failure()


@contextmanager
def striking(root: Path, at: int, failure: Failure) -> Iterator[Strike]:
    """Strike at one step of what is written below a folder within."""
    strike = Strike(root, at, failure)

    class StrikingFile(FileIO):
        def __init__(self, file: Any, mode: str = "r", *rest: Any, **options: Any) -> None:
            self.place = file
            if set(mode) & set("wxa+"):
                strike.step(file)
            super().__init__(file, mode, *rest, **options)

        def write(self, content: Any) -> Any:
            strike.step(self.place)
            return super().write(content)

        def truncate(self, size: int | None = None) -> Any:
            strike.step(self.place)
            return super().truncate(size)

    real_open = io.open

    def open_striking(
        file: Any, mode: str = "r", buffering: int = -1, *rest: Any, **kw: Any
    ) -> Any:
        if isinstance(file, int) or not set(mode) & set("wxa+"):
            return real_open(file, mode, buffering, *rest, **kw)
        opener = kw.pop("opener", None)
        raw = StrikingFile(file, mode.replace("b", "").replace("t", ""), opener=opener)
        if buffering == 0:
            return raw
        buffered = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        if "b" in mode:
            return buffered
        text = io.TextIOWrapper(buffered, *rest, **kw)
        text.mode = mode  # type: ignore[misc]
        return text

    def watch(call: Callable[..., Any], position: int) -> Callable[..., Any]:
        def watched(*words: Any, **options: Any) -> Any:
            strike.step(words[position])
            return call(*words, **options)

        return watched

    def open_low(path: Any, flags: int, *rest: Any, **options: Any) -> Any:
        if flags & MAKING:
            strike.step(path)
        return real_low(path, flags, *rest, **options)

    real_low = os.open
    with ExitStack() as stack:
        for home, name, new in (
            (io, "open", open_striking),
            (builtins, "open", open_striking),
            (io, "FileIO", StrikingFile),
            (os, "open", open_low),
            (os, "mkdir", watch(os.mkdir, 0)),
            (os, "fsync", watch(os.fsync, 0)),
            (os, "rename", watch(os.rename, 1)),
            (os, "replace", watch(os.replace, 1)),
            (os, "link", watch(os.link, 1)),
        ):
            stack.enter_context(mock.patch.object(home, name, new))
        yield strike


def look(folder: Path) -> dict[str, bytes | None]:
    """Give all there is below a folder: files with their content, folders with None."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }
