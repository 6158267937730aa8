"""Cancels work for clients that have disconnected."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive

_FIRST_CHECK_SECONDS = 0.05  # Most requests end sooner and need no check.


class ClientGoneError(Exception):
    """The client closed the connection before the response."""


@asynccontextmanager
async def while_client_waits(receive: Receive) -> AsyncIterator[None]:
    """Cancel what is awaited in this context once the client disconnects.

    Args:
      receive: of ASGI. The body must have been read to its end, so that only the disconnect can
        follow.
    Raises:
      ClientGoneError: the client has disconnected.
    """
    loop = asyncio.get_running_loop()

    async def check() -> None:
        await receive()
        if not is_over:
            timeout.reschedule(loop.time())

    checks: list[asyncio.Task[None]] = []
    timer = loop.call_later(_FIRST_CHECK_SECONDS, lambda: checks.append(loop.create_task(check())))
    is_over = False
    try:
        async with asyncio.timeout(None) as timeout:
            try:
                yield
            finally:
                is_over = True
                timer.cancel()
                for each in checks:
                    each.cancel()
    except TimeoutError:
        if timeout.expired():
            raise ClientGoneError from None
        raise
