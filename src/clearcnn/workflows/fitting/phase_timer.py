"""The duration of each phase of a workflow."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class PhaseTimer:
    """Wall-clock seconds of each phase, in order.

    Attributes:
      seconds: by the name of the phase.
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Record the duration of the context."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = time.perf_counter() - start
