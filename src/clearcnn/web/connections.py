"""uvicorn's HTTP protocol with time limits.

uvicorn waits forever for a request's head, and for a client that stops reading. This extends its
h11 protocol class, so pyproject.toml allows only the release series that it was tested with.
"""

import asyncio
import selectors
import socket
from functools import cache
from http import HTTPStatus
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from clearcnn.language import say
from clearcnn.web.http_errors import error_body
from clearcnn.web.http_parser import Parser
from clearcnn.web.lingering_close import LingeringTransport

HEAD_SECONDS = 10.0
"""Time within which the head of a request must arrive."""

STALL_SECONDS = 30.0
"""After which a client that does not read its response is disconnected."""

_MOST_CONNECTIONS = 900
_SPARED_FILES = 120  # For models, the log, and libraries.
_WISHED_FILES = 4096


@cache
def allow_connections() -> int:
    """Raise the limit on open files, and return the most connections that fit within it.

    A connection may send a file, so each needs two.
    """
    try:
        import resource
    except ModuleNotFoundError:  # Windows has no such limit.
        return _MOST_CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft != unlimited and soft < _WISHED_FILES:
        soft = _WISHED_FILES if hard == unlimited else min(_WISHED_FILES, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == unlimited:
        return _MOST_CONNECTIONS
    return max(8, min(_MOST_CONNECTIONS, (soft - _SPARED_FILES) // 2))


class Connection(H11Protocol):
    """One connection, closed if no request head comes or the response is not read.

    At the connection limit, a new connection replaces the one whose client has kept the server
    waiting longest.

    Attributes:
      waits_since: since when the server has been waiting for the client to send a request or
        read a response, by the event loop's clock; None if it is not waiting.
    """

    conn: Parser
    transport: LingeringTransport

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.conn = Parser()
        self.waits_since: float | None = None
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the timer for the head; above the connection limit, drop the slowest client."""
        super().connection_made(LingeringTransport(transport))
        self._watch_head()
        if len(self.connections) > allow_connections():
            slowest = self._find_slowest()
            slowest.waits_since = None
            slowest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all timers."""
        self._stop_head_timer()
        self._stop_stall_timer()
        self.transport.forget()
        super().connection_lost(exc)
        # uvicorn leaves this timer running, which would keep a reset connection in memory.
        self._unset_keepalive_if_required()

    def data_received(self, data: bytes) -> None:
        """Parse data, and wait for the rest of an unfinished request."""
        if self.transport.is_closing():
            return
        was_idle = self.conn.their_state is h11.IDLE
        super().data_received(data)
        if was_idle and self.conn.their_state is h11.SEND_BODY:
            self.waits_since = self.loop.time()
        self._watch_head()

    def pause_writing(self) -> None:
        """Start the timer for a client that does not read."""
        super().pause_writing()
        self._note_turn()
        self._watch_stall()

    def resume_writing(self) -> None:
        """Stop that timer: the client reads again."""
        if not self.transport.is_closing():
            self._stop_stall_timer()
        super().resume_writing()
        self._note_turn()

    def on_response_complete(self) -> None:
        """If the connection is closing, start the timer for the unread response."""
        super().on_response_complete()
        self._watch_head()
        if self.transport.is_closing():
            self._watch_stall()

    def shutdown(self) -> None:
        """Close unless a request is arriving or being handled; it is closed after its response."""
        is_idle = self.cycle is None or self.cycle.response_complete
        if not (is_idle and (self.conn.trailing_data[0] or self._has_unread())):
            super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, and start the timer for the unread response."""
        super().timeout_keep_alive_handler()
        self._watch_stall()

    def send_400_response(self, _: str) -> None:
        """Respond to invalid HTTP with JSON, as to every rejected request."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        if self.cycle is not None:  # Tells the endpoint that nobody waits for its response.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        status, reason = self.conn.complaint
        body = error_body(
            say(
                "The request cannot be read: {reason}. Send a valid HTTP/1.1 request.",
                reason=reason,
            )
        )
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        for event in (
            h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event))
        self.transport.close()

    def _has_unread(self) -> bool:
        with selectors.DefaultSelector() as selector:
            connection = cast(socket.socket, self.transport.get_extra_info("socket"))
            selector.register(connection, selectors.EVENT_READ)
            return bool(selector.select(0))

    def _find_slowest(self) -> "Connection":
        waiting = [
            each
            for each in self.connections
            if isinstance(each, Connection) and each.waits_since is not None
        ]
        return min(waiting, key=lambda each: each.waits_since or 0.0, default=self)

    def _watch_head(self) -> None:
        self._note_turn()
        if self.conn.their_state is not h11.IDLE:
            self._stop_head_timer()
        elif self._head_timer is None and self.timeout_keep_alive_task is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

    def _note_turn(self) -> None:
        is_sending = self.conn.their_state in (h11.IDLE, h11.SEND_BODY)
        if not (is_sending or self.flow.write_paused or self.transport.is_closing()):
            self.waits_since = None
        elif self.waits_since is None:
            self.waits_since = self.loop.time()

    def _watch_stall(self) -> None:
        if self._stall_timer is None:
            self._stall_timer = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _stop_stall_timer(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None
