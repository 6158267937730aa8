"""Connections that nobody may keep for nothing: uvicorn's protocol with limits of time.

uvicorn waits for ever for the head of a request, and for a client that stops reading.
"""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from clearcnn.web.refusals import error_body

HEAD_SECONDS = 10.0
"""That the head of a request may take to arrive."""

STALL_SECONDS = 30.0
"""That a client may leave its answer unread."""

_MOST_CONNECTIONS = 900  # Processes may often open no more than 1,024 files.


class Connection(H11Protocol):
    """One connection: closed when a head does not come, or when an answer is not read."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._head_timer: asyncio.TimerHandle | None = None
        self._stall_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head; beyond the most connections, hang up."""
        super().connection_made(transport)
        if len(self.connections) > _MOST_CONNECTIONS:
            transport.abort()
            return
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._stop_head_timer()
        self._stop_stall_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and wait for the rest of a head if there is some."""
        super().data_received(data)
        self._watch_head()

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        super().pause_writing()
        self._watch_stall()

    def resume_writing(self) -> None:
        """The client reads again."""
        if not self.transport.is_closing():
            self._stop_stall_timer()
        super().resume_writing()

    def on_response_complete(self) -> None:
        """See that what is written is read, if the connection closes now."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch_stall()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, and see that what is written is read."""
        super().timeout_keep_alive_handler()
        self._watch_stall()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP as every refusal is answered: with JSON."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        if self.cycle is not None:  # Whoever works on the request need not answer it any more.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        body = error_body(f"{msg} Send a request of HTTP/1.1.")
        headers = [
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
            ("connection", "close"),
        ]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event))
        self.transport.close()

    def _watch_head(self) -> None:
        if self.conn.their_state is not h11.IDLE:
            self._stop_head_timer()
        elif self._head_timer is None and self.timeout_keep_alive_task is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.abort)

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
