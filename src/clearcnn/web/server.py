"""The application on a socket, until it is told to stop."""

import gc
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import uvicorn

from clearcnn.errors import ServeError
from clearcnn.specs import DataSpec
from clearcnn.web.app import make_app
from clearcnn.web.connections import Connection, allow_connections
from clearcnn.web.journal import log, start_journal
from clearcnn.web.settings import ServeSettings

_KEEP_ALIVE_SECONDS = 30
_BACKLOG = 1024
_ACCEPTED_AT_ONCE = 64
_GARBAGE_THRESHOLDS = (700, 10, 10)


class _Server(uvicorn.Server):
    """uvicorn, which takes in only so many new connections before it reads from those it has.

    asyncio accepts as many in a row as may wait. In a flood of them, a client that came a moment
    ago would be the longest idle before its request was even looked at.
    """

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, with room for more to wait than are accepted in a row."""
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(_BACKLOG)


def run_server(
    runs: Sequence[Path | str],
    settings: ServeSettings,
    announce: Callable[[str], None],
    data: DataSpec | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; then finish what was taken, and return.

    Args:
      runs: run folders, one for each model.
      settings: of the server.
      announce: called with the address, such as "http://127.0.0.1:8000", once it listens.
      data: where the images of the run are, as for `make_app`.
    Raises:
      ServeError: the address cannot be listened on.
      ClearCNNError: a model cannot be loaded.
    """
    app = make_app(runs, settings, data)
    listener = _listen(settings)
    allow_connections()
    start_journal()
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
        # The slowest body, and its answer.
        timeout_graceful_shutdown=int(settings.body_seconds) + 15,
    )
    server = _Server(config)
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
            # asyncio sends small answers at once only on sockets that say they are TCP's.
            listener = stack.enter_context(socket.socket(family, kind, protocol))
            if os.name == "posix":  # Elsewhere it would let two servers have one port.
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError as error:
            raise ServeError(
                f"{settings.host}:{settings.port} cannot be listened on: {_reason(error)}.",
                remedy="Give another --port, or end the program that has it; 0 takes a free one.",
            ) from error
        stack.pop_all()
        return listener


def _reason(error: OSError) -> str:
    # socket repeats the address in its own words; names that lead nowhere have numbers below 0.
    number = error.errno or 0
    return os.strerror(number) if number > 0 else str(error.strerror or error)


@contextmanager
def _stop_by_signal(server: uvicorn.Server) -> Iterator[None]:
    """Let signals stop the server even before it runs, and no more than that afterwards.

    uvicorn raises a signal that stopped it once more at its end, which would end the program.
    """

    def stop(*_: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _collect_garbage_early() -> Iterator[None]:
    """Look for garbage as often as Python itself does, and not among what was loaded to stay.

    The command line has it looked for seldom, which is quicker for a program that ends soon.
    Connections that have ended are such garbage, and would pile up.
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
