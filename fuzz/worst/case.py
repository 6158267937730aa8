"""One of the worst inputs, and what it takes to refuse or to read it."""

import os
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clearcnn.errors import ClearCNNError

MOST_ADDRESSES = 8 * 2**30
"""Bytes: so that what slips through harms nobody."""


@dataclass(frozen=True)
class Case:
    """An input.

    Attributes:
      make: makes it.
      read: reads it.
      is_refused: whether that must end in a ClearCNNError.
    """

    make: Callable[[], Any]
    read: Callable[[Any], Any]
    is_refused: bool = True


@dataclass(frozen=True)
class Measure:
    """What came of it.

    Attributes:
      seconds: that reading took.
      peak_bytes: of the process that read, with everything it had imported.
      said: "read", the error's message, or what went wrong, which begins with "!".
    """

    seconds: float
    peak_bytes: int
    said: str


def measure(case: Case) -> Measure:
    """Read an input in a process of its own."""
    content = case.make()
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiving)
        resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESSES, MOST_ADDRESSES))
        begin = time.perf_counter()
        said = _attempt(case, content)
        os.write(sending, f"{time.perf_counter() - begin} {said}"[:900].encode(errors="replace"))
        os._exit(0)
    os.close(sending)
    _, status, usage = os.wait4(child, 0)
    with os.fdopen(receiving) as pipe:
        seconds, _, said = pipe.read().partition(" ")
    if status or not said:
        return Measure(float("inf"), usage.ru_maxrss * 1024, f"! it ended with status {status}")
    return Measure(float(seconds), usage.ru_maxrss * 1024, said)


def _attempt(case: Case, content: Any) -> str:
    try:
        case.read(content)
    except ClearCNNError as error:
        return str(error) if case.is_refused else f"! refused: {error}"
    except BaseException as error:
        return f"! {type(error).__name__}: {error}"
    return "! it was read" if case.is_refused else "read"
