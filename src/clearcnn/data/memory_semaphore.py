"""Room in memory for large pictures: threads that unfold them wait for each other."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Room:
    """So many units, lent and given back; whoever asks for more than are left waits.

    Args:
      units: in all; a single request for more is let in when nobody else is there.
    """

    def __init__(self, units: int) -> None:
        self._units = units
        self._taken = 0
        self._changed = threading.Condition()

    @contextmanager
    def take(self, units: int) -> Iterator[None]:
        """Hold units for a while."""
        with self._changed:
            self._changed.wait_for(lambda: self._taken == 0 or self._taken + units <= self._units)
            self._taken += units
        try:
            yield
        finally:
            with self._changed:
                self._taken -= units
                self._changed.notify_all()
