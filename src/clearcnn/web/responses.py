"""Answers: handed out as fast as they are read, and with the headers that every one has."""

from collections.abc import Iterable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clearcnn.web.drain import Drain
from clearcnn.web.memory_budget import Allowance

_PIECE_BYTES = 65_536
_MOST_BYTES = 256 * 2**20

Header = tuple[bytes, bytes]

# An answer says itself what it needs beside these.
_HEADERS: tuple[Header, ...] = (
    # A browser takes it for nothing but what it says it is,
    (b"x-content-type-options", b"nosniff"),
    # keeps no copy of what somebody may have asked for with a token,
    (b"cache-control", b"no-store"),
    # runs and shows nothing of it, and lets no page frame it
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    # or take it in as a picture, a script or a font,
    (b"cross-origin-resource-policy", b"same-origin"),
    # and tells no other server where it has been.
    (b"referrer-policy", b"no-referrer"),
)
_CLOSES: tuple[Header, ...] = ((b"connection", b"close"),)


class KeptBytes(bytes):
    """A body that the server keeps whoever asks for it, so that no answer holds it alone."""


class AnswerWriter:
    """An ASGI middleware that sends large answers in pieces, each when the last one is taken.

    All answers that wait for their clients may hold 256 MiB together. Beyond that, those that
    wait longest are given up.

    Args:
      app: to hand on to.
      drain: while it is on, each answer says that the connection closes after it.
    """

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self.app = app
        self._drain = drain
        self._allowance = Allowance(_MOST_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
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
        with self._allowance.share() as share:
            if not isinstance(message["body"], KeptBytes):
                self._allowance.take(share, len(body))
            try:
                async with self._allowance.transfer(share, None):
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
