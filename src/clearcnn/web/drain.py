"""Graceful shutdown, as load balancers expect it."""

import time
from dataclasses import dataclass


@dataclass
class Drain:
    """Whether the server is draining, which is the first part of its shutdown.

    A draining server reports that it is not ready, and closes each connection after its next
    response.

    Attributes:
      is_on: whether it is.
      until: when it stops accepting connections, by the monotonic clock.
    """

    is_on: bool = False
    until: float = 0.0

    def begin(self, seconds: float) -> None:
        """Start draining; after so many seconds no connection is accepted."""
        self.is_on = True
        self.until = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """Whether connections are no longer accepted."""
        return self.is_on and time.monotonic() >= self.until
