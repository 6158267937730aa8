"""SIGTERM and SIGHUP: a command removes or keeps its unfinished work, and then ends."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from clearcnn.errors import ClearCNNError

SIGNALLED = 128
"""The exit status of a command that a signal ended is this plus the signal's number."""

_NAMES = ("SIGTERM", "SIGHUP")


def exit_on_signals() -> None:
    """Turn SIGTERM and SIGHUP into SystemExit, so that unfinished files are removed."""
    for number in _list_numbers():
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _exit)


@contextmanager
def interrupt_on_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP act as Ctrl-C in this context, which keeps what is finished then.

    No-op where `exit_on_signals` was not called.

    Raises:
      SystemExit: at the end of the context, if there was such a signal; also in place of a
        ClearCNNError with which the context answered it.
    """
    received: list[int] = []

    def interrupt(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        received.append(number)
        raise KeyboardInterrupt

    replaced = [number for number in _list_numbers() if signal.getsignal(number) is _exit]
    try:
        for number in replaced:
            signal.signal(number, interrupt)
        yield
    except (KeyboardInterrupt, ClearCNNError):
        if not received:
            raise
    finally:
        for number in replaced:
            if number not in received:
                signal.signal(number, _exit)
    if received:
        raise SystemExit(SIGNALLED + received[0])


def _exit(number: int, _: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(SIGNALLED + number)


def _list_numbers() -> list[int]:
    return [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
