"""How the command ends."""

from enum import IntEnum

from clearcnn.errors import ClearCNNError


class Status(IntEnum):
    """The exit statuses of `clearcnn`."""

    SUCCESS = 0
    ERROR = 1
    USAGE = 2
    INTERRUPTED = 130
    BROKEN_PIPE = 141


class ReaderGoneError(Exception):
    """Whoever read stdout went away.

    No OSError, as BrokenPipeError is: nobody may take it for trouble with a run folder.
    """


class StdoutError(ClearCNNError):
    """What goes to stdout cannot be written; no OSError, for the same reason."""
