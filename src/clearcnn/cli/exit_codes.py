"""Exit statuses, and the exceptions for a stdout that fails."""

from enum import IntEnum

from clearcnn.errors import ClearCNNError


class Status(IntEnum):
    """An exit status of `clearcnn`."""

    SUCCESS = 0
    ERROR = 1
    USAGE = 2
    INTERRUPTED = 130
    BROKEN_PIPE = 141


class ReaderGoneError(Exception):
    """The reader of stdout closed the pipe.

    Not an OSError, as BrokenPipeError is, so that it is not reported as a problem of a run folder.
    """


class StdoutError(ClearCNNError):
    """stdout cannot be written; not an OSError, for the same reason."""
