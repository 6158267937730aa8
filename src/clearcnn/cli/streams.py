"""stdout and stderr whose failure does not break anything else."""

import io
import os
import sys
from typing import TYPE_CHECKING, TextIO

from clearcnn.cli.exit_codes import ReaderGoneError, StdoutError
from clearcnn.language import say

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


class _Stdout(io.FileIO):
    """Raises its own errors: an OSError would look like a problem of a run folder."""

    def write(self, content: "Buffer") -> int:
        """Write, or raise that the reader is gone or the disk is full."""
        try:
            return super().write(content)
        except BrokenPipeError:
            raise ReaderGoneError from None
        except OSError as error:
            raise StdoutError(
                say("stdout cannot be written: {reason}.", reason=error.strerror),
                remedy=say("Free space where it is written; files finished before are complete."),
            ) from error


class _Stderr(io.FileIO):
    """Ignores errors: there is nowhere left to report them."""

    def write(self, content: "Buffer") -> int:
        """Write, and ignore a failure."""
        try:
            return super().write(content)
        except OSError:
            return memoryview(content).nbytes


def secure_streams() -> None:
    """Replace Python's stdout and stderr; a closed one becomes the null device.

    If it stayed closed, the next file that is opened would get its descriptor, and what a library
    prints would go into that file.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # This takes the lowest free descriptor: those below are open by now.
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = _wrap(_Stdout(1, "w", closefd=False), sys.stdout)
    sys.stderr = _wrap(_Stderr(2, "w", closefd=False), sys.stderr)


def silence_stdout() -> None:
    """Discard what is left: Python flushes once more at exit, and would print an error."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_windows_console(stream: TextIO | None) -> bool:
    """Whether Python writes Unicode to a console of Windows through its own functions.

    The bytes that a plain file would write there are read in the console's code page, such as 949.
    """
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return type(raw).__name__ == "_WindowsConsoleIO"


def _wrap(raw: io.FileIO, like: TextIO | None) -> TextIO:
    if like is not None and _is_windows_console(like):
        return like
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(like, "encoding", "utf-8"),
        errors="backslashreplace",
        line_buffering=getattr(like, "line_buffering", False),
        write_through=getattr(like, "write_through", False),
    )
