"""Sends responses as fast as clients read them, with the headers that all responses have."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clearcnn.web.drain import Drain
from clearcnn.web.memory_budget import MemoryBudget

_PIECE_BYTES = 65_536
_MOST_BYTES = 256 * 2**20

Header = tuple[bytes, bytes]

# A response may override these.
_HEADERS: tuple[Header, ...] = (
    # Browsers must not guess another content type,
    (b"x-content-type-options", b"nosniff"),
    # must not cache what may have required a token,
    (b"cache-control", b"no-store"),
    # must not run scripts of it or show it in a frame,
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    # must not embed it in pages of another origin,
    (b"cross-origin-resource-policy", b"same-origin"),
    # and must not send its address to other servers.
    (b"referrer-policy", b"no-referrer"),
)
_CLOSES: tuple[Header, ...] = ((b"connection", b"close"),)


class SharedBytes(bytes):
    """A body that the server keeps in memory anyway, so that it does not count for a response."""


class ResponseWriter:
    """ASGI middleware that sends large responses in pieces, each when the client has read the last.

    All responses that wait for their clients may hold 256 MiB together. Beyond that, those that
    have waited longest are aborted.

    Args:
      app: the application to call.
      drain: while it is on, each response closes its connection.
    """

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self.app = app
        self._drain = drain
        self._budget = MemoryBudget(_MOST_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_given_up = False

        async def send_in_pieces(message: Message) -> None:
            nonlocal is_given_up
            if is_given_up:
                return
            if message["type"] == "http.response.start":
                last = _CLOSES if self._drain.is_on else ()
                message["headers"] = _complete(message.get("headers", ()), (*_HEADERS, *last))
            if len(message.get("body", b"")) <= _PIECE_BYTES:
                await send(message)
            else:
                is_given_up = not await self._send_pieces(message, send)

        await self.app(scope, receive, send_in_pieces)

    async def _send_pieces(self, message: Message, send: Send) -> bool:
        body, more = memoryview(message["body"]), message.get("more_body", False)
        with self._budget.share() as share:
            if not isinstance(message["body"], SharedBytes):
                self._budget.take(share, len(body))
            try:
                async with self._budget.transfer(share, None):
                    for start in range(0, len(body), _PIECE_BYTES):
                        end = start + _PIECE_BYTES
                        piece = bytes(body[start:end])
                        is_last = end >= len(body) and not more
                        await send({**message, "body": piece, "more_body": not is_last})
            except TimeoutError:
                return False
        return True


def _complete(headers: object, more: Iterable[Header]) -> list[Header]:
    given: list[Header] = list(headers)  # type: ignore[call-overload]
    names = {name for name, _ in given}
    return given + [header for header in more if header[0] not in names]
