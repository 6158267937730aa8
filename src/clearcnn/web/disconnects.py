"""Work for a client that has gone is given up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive

_FIRST_LOOK_SECONDS = 0.05  # Most requests are answered before, and need no look.


class ClientGoneError(Exception):
    """The client closed the connection before it was answered."""


@asynccontextmanager
async def while_client_waits(receive: Receive) -> AsyncIterator[None]:
    """Cancel what is awaited here once the client has gone.

    Args:
      receive: of ASGI; the body must have been read to its end, so that nothing but the
        disconnect is still to come.
    Raises:
      ClientGoneError: it has gone.
    """
    loop = asyncio.get_running_loop()

    async def look() -> None:
        await receive()
        if not is_over:
            timeout.reschedule(loop.time())

    looks: list[asyncio.Task[None]] = []
    timer = loop.call_later(_FIRST_LOOK_SECONDS, lambda: looks.append(loop.create_task(look())))
    is_over = False
    try:
        async with asyncio.timeout(None) as timeout:
            try:
                yield
            finally:
                is_over = True
                timer.cancel()
                for each in looks:
                    each.cancel()
    except TimeoutError:
        if timeout.expired():
            raise ClientGoneError from None
        raise
