"""stdout and stderr of the command: when writing to them fails, that is all that fails."""

import io
import os
import sys
from typing import Any, TextIO

from clearcnn.cli.exit_codes import ReaderGoneError, StdoutError


class _Stdout(io.FileIO):
    """Fails as itself: an OSError would look like trouble with a run folder."""

    def write(self, content: Any) -> int:
        """Write, or say that nobody reads, or that there is no room."""
        try:
            return super().write(content)
        except BrokenPipeError:
            raise ReaderGoneError from None
        except OSError as error:
            raise StdoutError(
                f"stdout cannot be written: {error.strerror}.",
                remedy="Make room where it goes; files that were finished before are whole.",
            ) from error


class _Stderr(io.FileIO):
    """Fails in silence: there is nowhere left to say it."""

    def write(self, content: Any) -> int:
        """Write, if that can be done."""
        try:
            return super().write(content)
        except OSError:
            return len(content)


def secure_streams() -> None:
    """Put streams that fail well in the place of Python's own; one that was closed drops all.

    Were a closed one left so, the next file that is opened would take its number, and what a
    library prints would go into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free: those below are open by now.
            os.open(os.devnull, os.O_RDWR)
    sys.stdout = _wrap(_Stdout(1, "w", closefd=False), sys.stdout)
    sys.stderr = _wrap(_Stderr(2, "w", closefd=False), sys.stderr)


def silence_stdout() -> None:
    """Send what is left to nobody: Python flushes once more when it ends, and would complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _wrap(raw: io.FileIO, like: TextIO | None) -> TextIO:
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(like, "encoding", "utf-8"),
        errors="backslashreplace",
        line_buffering=getattr(like, "line_buffering", False),
        write_through=getattr(like, "write_through", False),
    )
