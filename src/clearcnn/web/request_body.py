"""Reads request bodies completely before any work starts, within limits of size and time.

So slow clients do not occupy a thread or a place in the queue.
"""

import asyncio
import zlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clearcnn.language import say
from clearcnn.web.http_errors import Refusal, send_refusal, too_busy
from clearcnn.web.memory_budget import MemoryBudget, Share
from clearcnn.web.settings import ServeSettings

_ENCODINGS = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}  # zlib's window bits.
_BODIES_AT_ONCE = 16
_UNPACKED_AT_ONCE = 2

# The page sends small JSON, and parsing it blocks all other requests.
_PAGE, _MOST_PAGE_BYTES = "/page/", 65_536


class _ClientGone(Exception):  # noqa: N818
    """The client disconnected."""


class BodyReader:
    """ASGI middleware that passes on requests with complete, decompressed bodies.

    All bodies together may hold sixteen times `max_body_bytes`. Beyond that, the requests that
    have been arriving longest are rejected.

    Args:
      app: the application to call.
      settings: with `max_body_bytes` and `body_seconds`.
    """

    def __init__(self, app: ASGIApp, settings: ServeSettings) -> None:
        self.app = app
        self._settings = settings
        self._budget = MemoryBudget(_BODIES_AT_ONCE * settings.max_body_bytes)
        self._unpacking = asyncio.Semaphore(_UNPACKED_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        with self._budget.share() as share:
            most = self._most_bytes(scope)
            try:
                body = await self._read(scope, receive, share, most)
            except Refusal as refusal:
                # A client that was too slow gets no more time.
                unread = refusal.status != 408
                await _close_after(refusal, scope, receive, send, unread=unread)
                return
            except _ClientGone:
                return
            try:
                body = await self._unpack(scope, body, share, most)
            except Refusal as refusal:
                await send_refusal(refusal, scope, receive, send, unread=False)
                return
            await self.app(scope, _replay(body, receive), send)

    def _most_bytes(self, scope: Scope) -> int:
        most = self._settings.max_body_bytes
        return min(most, _MOST_PAGE_BYTES) if scope["path"].startswith(_PAGE) else most

    async def _read(self, scope: Scope, receive: Receive, share: Share, most: int) -> bytes:
        body = bytearray()
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if length.isdigit() and int(length) > most:
            raise _too_large(say("has {length:,} bytes", length=int(length)), most)
        try:
            async with self._budget.transfer(share, self._settings.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _ClientGone
                    chunk = message.get("body", b"")
                    if len(body) + len(chunk) > most:
                        raise _too_large(say("is larger"), most)
                    if not self._budget.take(share, len(chunk)):
                        raise _too_full()
                    body += chunk
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError:
            if share.gave_way:
                raise _too_full() from None
            raise Refusal(
                408,
                say(
                    "Only {num_bytes:,} bytes of the body arrived within {body_seconds:g} seconds.",
                    num_bytes=len(body),
                    body_seconds=self._settings.body_seconds,
                ),
                remedy=say("Send it faster, or split it into smaller requests."),
            ) from None
        finally:
            body.clear()  # The traceback of an error would keep it in memory.

    async def _unpack(self, scope: Scope, body: bytes, share: Share, most: int) -> bytes:
        encoding = dict(scope["headers"]).get(b"content-encoding", b"").strip().lower()
        if encoding in (b"", b"identity"):
            return body
        if encoding not in _ENCODINGS:
            raise Refusal(
                415,
                say(
                    "The body's Content-Encoding is {encoding!r}; gzip, deflate or none was "
                    "expected.",
                    encoding=encoding.decode("latin-1"),
                ),
                remedy=say("Send it without that encoding."),
                headers={"Accept-Encoding": "gzip, deflate"},
            )
        async with self._unpacking:
            whole = await asyncio.to_thread(_inflate, body, _ENCODINGS[encoding], most)
            if not self._budget.take(share, len(whole)):
                raise _too_full()
        replaced = (b"content-encoding", b"content-length")
        scope["headers"] = [
            *(header for header in scope["headers"] if header[0] not in replaced),
            (b"content-length", str(len(whole)).encode()),
        ]
        return whole


async def _close_after(
    refusal: Refusal, scope: Scope, receive: Receive, send: Send, *, unread: bool
) -> None:
    if not unread:
        refusal.headers["Connection"] = "close"
    await send_refusal(refusal, scope, receive, send, unread=unread)


def _inflate(body: bytes, window_bits: int, most: int) -> bytes:
    unpacker = zlib.decompressobj(window_bits)
    try:
        whole = unpacker.decompress(body, most + 1)
    except zlib.error:
        raise _not_packed(say("its data are damaged, or in another format")) from None
    if len(whole) > most:
        raise _too_large(say("is larger when decompressed"), most)
    if not unpacker.eof or unpacker.unused_data:
        raise _not_packed(say("it is truncated, or data follow it"))
    return whole


def _replay(body: bytes, receive: Receive) -> Receive:
    is_given = False

    async def give() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return give


def _too_large(how: str, most: int) -> Refusal:
    return Refusal(
        413,
        say("The body {fault}; at most {most:,} bytes are allowed.", fault=how, most=most),
        remedy=say("Send less in one request."),
    )


def _too_full() -> Refusal:
    return too_busy(say("its memory for requests is full"))


def _not_packed(why: str) -> Refusal:
    return Refusal(
        400,
        say("The body cannot be decompressed as its Content-Encoding says: {why}.", why=why),
        remedy=say("Send it complete, or without Content-Encoding."),
    )
