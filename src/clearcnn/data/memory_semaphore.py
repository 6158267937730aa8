"""A semaphore for memory: threads that decode large images wait for each other."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class MemorySemaphore:
    """A counting semaphore whose holders take several units at once.

    Args:
      units: in total. A request for more is granted when nothing else is taken.
    """

    def __init__(self, units: int) -> None:
        self._units = units
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def take(self, units: int) -> Iterator[None]:
        """Hold units inside a `with` block; wait until they are free."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken == 0 or self._taken + units <= self._units)
            self._taken += units
        try:
            yield
        finally:
            with self._changed:
                self._taken -= units
                self._changed.notify_all()
