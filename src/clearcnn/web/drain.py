"""The end of a server, as a load balancer expects it."""

import time
from dataclasses import dataclass


@dataclass
class Drain:
    """Whether the server is about to end.

    From then on it says that it is not ready, and closes each connection after the next answer.

    Attributes:
      is_on: whether it is.
      until: by the monotonic clock, when it stops accepting connections.
    """

    is_on: bool = False
    until: float = 0.0

    def begin(self, seconds: float) -> None:
        """Begin to end; so many seconds later no connection is accepted any more."""
        self.is_on = True
        self.until = time.monotonic() + seconds

    @property
    def is_over(self) -> bool:
        """Whether connections are accepted no more."""
        return self.is_on and time.monotonic() >= self.until
