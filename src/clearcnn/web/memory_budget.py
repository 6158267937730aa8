"""Memory that clients may fill: bounded, and who has had the most time gives way."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


class Share:
    """What one request holds of an allowance.

    Attributes:
      held: bytes.
      gave_way: whether its transfer was ended to make room for another's.
    """

    def __init__(self) -> None:
        self.held = 0
        self.gave_way = False


class Allowance:
    """Bytes that all requests together may hold.

    Where they are used up, the transfers that began first are ended until there is room: a quick
    client is seldom among them, a slow one is. What has arrived is not taken away again.

    Args:
      most: bytes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._transfers: dict[Share, asyncio.Timeout] = {}

    @contextmanager
    def share(self) -> Iterator[Share]:
        """Open a share; what it holds is free again at the end."""
        share = Share()
        try:
            yield share
        finally:
            self.give_back(share)

    def take(self, share: Share, count: int) -> bool:
        """Let a share hold so many bytes more; say whether there was room for them.

        Args:
          share: it ends no transfer younger than its own.
          count: bytes.
        """
        if count <= self._most:
            self._make_room(share, count)
        if self._held + count > self._most:
            return False
        self._held += count
        share.held += count
        return True

    def give_back(self, share: Share) -> None:
        """Let a share hold nothing."""
        self._held -= share.held
        share.held = 0

    @asynccontextmanager
    async def transfer(self, share: Share, seconds: float | None) -> AsyncIterator[None]:
        """A time in which the bytes of a share come or go, and in which it may have to give way.

        Args:
          share: that it is about.
          seconds: that it may last; None for ever.
        Raises:
          TimeoutError: it was ended; `share.gave_way` says why.
        """
        async with asyncio.timeout(seconds) as timeout:
            self._transfers[share] = timeout
            try:
                yield
            finally:
                self._transfers.pop(share, None)

    def _make_room(self, asking: Share, count: int) -> None:
        for share, timeout in list(self._transfers.items()):
            if self._held + count <= self._most or share is asking:
                return
            # Whoever holds nothing has no room to give.
            if share.held and not timeout.expired():
                del self._transfers[share]
                share.gave_way = True
                self.give_back(share)
                timeout.reschedule(asyncio.get_running_loop().time())
