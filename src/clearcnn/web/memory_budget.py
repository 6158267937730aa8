"""A memory budget for data sent by or to clients; under pressure, the slowest transfers end."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager


class Share:
    """The part of a budget that one request holds.

    Attributes:
      held: bytes.
      gave_way: whether its transfer was ended to make room for another.
    """

    def __init__(self) -> None:
        self.held = 0
        self.gave_way = False


class MemoryBudget:
    """The bytes that all requests together may hold.

    If the budget is used up, the oldest transfers are ended until there is room: those are mostly
    slow clients. Completed transfers keep their bytes.

    Args:
      most: the budget in bytes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held = 0
        self._transfers: dict[Share, asyncio.Timeout] = {}

    @contextmanager
    def share(self) -> Iterator[Share]:
        """Open a share, which is released at the end of the context."""
        share = Share()
        try:
            yield share
        finally:
            self.give_back(share)

    def take(self, share: Share, count: int) -> bool:
        """Add bytes to a share; return whether there was room.

        Args:
          share: only transfers older than its own are ended for it.
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
        """Release all bytes of a share."""
        self._held -= share.held
        share.held = 0

    @asynccontextmanager
    async def transfer(self, share: Share, seconds: float | None) -> AsyncIterator[None]:
        """Context of a share's transfer, which may be ended to make room for another.

        Args:
          share: whose bytes are transferred.
          seconds: the time limit; None: no limit.
        Raises:
          TimeoutError: it took too long, or gave way (`share.gave_way`).
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
            # Ending an empty share frees nothing.
            if share.held and not timeout.expired():
                del self._transfers[share]
                share.gave_way = True
                self.give_back(share)
                timeout.reschedule(asyncio.get_running_loop().time())
