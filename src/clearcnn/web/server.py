"""Runs the application on a socket until it is told to stop."""

import asyncio
import gc
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI

from clearcnn.errors import ServeError
from clearcnn.language import say
from clearcnn.specs import DataSpec
from clearcnn.web.access_log import log, start_logging
from clearcnn.web.app import make_app
from clearcnn.web.connections import Connection, allow_connections
from clearcnn.web.drain import Drain
from clearcnn.web.settings import ServeSettings

_KEEP_ALIVE_SECONDS = 30
_BACKLOG = 1024
_ACCEPTED_AT_ONCE = 64
_LAST_SECONDS = 0.5
_GARBAGE_THRESHOLDS = (700, 10, 10)


class _Server(uvicorn.Server):
    """uvicorn's server, with a different startup and shutdown.

    asyncio accepts as many connections in a row as the backlog holds. In a flood, a client that
    has just connected would be dropped as idle before its request was read.

    uvicorn closes idle connections as soon as it is told to stop, which loses requests that are
    just arriving. Load balancers need a moment to notice that a server is not ready.

    Args:
      config: uvicorn's configuration.
      drain: started by the first signal.
      drain_seconds: how long connections are accepted after SIGTERM.
    """

    def __init__(self, config: uvicorn.Config, drain: Drain, drain_seconds: float) -> None:
        super().__init__(config)
        self._drain = drain
        self._drain_seconds = drain_seconds
        self._is_told = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen with a backlog larger than the number accepted in a row."""
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(_BACKLOG)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Start to shut down; a second signal ends the process at once."""
        if self.should_exit:
            signal.signal(sig, signal.SIG_DFL)
            signal.raise_signal(sig)
        # Only SIGTERM drains: at a terminal, Ctrl-C should stop the server at once.
        self._drain.begin(self._drain_seconds if sig == signal.SIGTERM else 0)
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Continue until the drain is over."""
        should_exit = await super().on_tick(counter)
        if should_exit and not self._is_told:
            self._is_told = True
            log("draining", seconds=round(max(0.0, self._drain.until - time.monotonic()), 1))
        return should_exit and (self._drain.is_over or not self._drain.is_on)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, finish what is arriving, then close idle connections and end."""
        end = time.monotonic() + _LAST_SECONDS
        # Connections left in the backlog would be reset.
        while time.monotonic() < end and select.select(sockets or (), (), (), 0)[0]:
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        while time.monotonic() < end and self.server_state.connections:
            await asyncio.sleep(0.02)
        await super().shutdown(sockets)


def run_server(
    runs: Sequence[Path | str],
    settings: ServeSettings,
    announce: Callable[[str], None],
    data: DataSpec | None = None,
    *,
    logs_json: bool = True,
) -> None:
    """Serve until SIGINT or SIGTERM; then finish open requests and return.

    After SIGTERM, the server reports for `drain_seconds` that it is not ready, but still serves.

    Args:
      runs: run folders, one for each model.
      settings: the server's settings.
      announce: called with the address, such as "http://127.0.0.1:8000", once it listens.
      data: the images of the run, as for `make_app`.
      logs_json: as `as_json` of `start_logging`.
    Raises:
      ServeError: the server cannot listen on the address.
      ClearCNNError: a model cannot be loaded.
    """
    drain = Drain()
    app = make_app(runs, settings, data, drain)
    run_app(app, settings, announce, drain, logs_json=logs_json)


def run_app(
    app: FastAPI,
    settings: ServeSettings,
    announce: Callable[[str], None],
    drain: Drain,
    *,
    logs_json: bool = True,
) -> None:
    """Run an application until SIGINT or SIGTERM; then finish open requests and return.

    Args:
      app: the application.
      settings, announce, logs_json: as for `run_server`.
      drain: the application's own.
    Raises:
      ServeError: the server cannot listen on the address.
    """
    listener = _listen(settings)
    allow_connections()
    start_logging(as_json=logs_json)
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        backlog=_ACCEPTED_AT_ONCE,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        # Enough for the slowest body and its response.
        timeout_graceful_shutdown=int(settings.body_seconds) + 15,
    )
    server = _Server(config, drain, settings.drain_seconds)
    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    with _stop_by_signal(server), _collect_garbage_early():
        announce(f"http://{host}:{port}")
        log("listening", host=settings.host, port=port, asks_for_token=settings.token is not None)
        server.run([listener])
        log("stopped")


def _listen(settings: ServeSettings) -> socket.socket:
    with ExitStack() as stack:
        try:
            found = socket.getaddrinfo(
                settings.host,
                settings.port,
                type=socket.SOCK_STREAM,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_PASSIVE,
            )
            family, kind, protocol, _, address = found[0]
            # asyncio sets TCP_NODELAY only on sockets whose protocol is TCP.
            listener = stack.enter_context(socket.socket(family, kind, protocol))
            if os.name == "posix":  # On Windows it would let two servers share a port.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError as error:
            raise ServeError(
                say(
                    "Cannot listen on {host}:{port}: {error}.",
                    host=settings.host,
                    port=settings.port,
                    error=_reason(error),
                ),
                remedy=say("Choose another --port; 0 takes a free one."),
            ) from error
        stack.pop_all()
        return listener


def _reason(error: OSError) -> str:
    # The error's own text repeats the address; errors of name resolution have negative numbers.
    number = error.errno or 0
    return os.strerror(number) if number > 0 else str(error.strerror or error)


@contextmanager
def _stop_by_signal(server: _Server) -> Iterator[None]:
    """Handle signals even before the server runs."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, server.handle_exit) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _collect_garbage_early() -> Iterator[None]:
    """Collect garbage as often as Python does by default, except among what is already loaded.

    The command line makes collections rare, which is faster for short programs. In a server,
    closed connections would accumulate.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
