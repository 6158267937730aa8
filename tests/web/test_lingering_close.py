"""`LingeringTransport` on real sockets."""

import asyncio
import socket
import struct
from concurrent.futures import ThreadPoolExecutor

from clearcnn.web.lingering_close import LingeringTransport


class _Connection(asyncio.Protocol):
    """A server's side of a connection, which reads nothing."""

    def __init__(self) -> None:
        self.made, self.lost = asyncio.Event(), asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        self.transport = LingeringTransport(transport)
        self.made.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport.forget()
        self.lost.set()


async def _close_after(leave: bytes | None) -> bytes:
    """Send a response and close.

    Args:
      leave: if given, the client sends this and resets the connection before the server closes.
    Returns:
      What the client received until the end of the stream.
    """
    connection = _Connection()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: connection, "127.0.0.1", 0)
    async with server:
        client = socket.create_connection(server.sockets[0].getsockname())
        await connection.made.wait()
        received = b""
        if leave is not None:
            client.sendall(leave)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            await asyncio.sleep(0.05)
        else:
            connection.transport.write(b"response")
        connection.transport.close()
        if leave is None:
            while piece := await asyncio.to_thread(client.recv, 100):
                received += piece
            client.close()
        await asyncio.wait_for(connection.lost.wait(), 10)
    return received


def _run(leave: bytes | None) -> bytes:
    """Run it in a thread, since a browser test may have left a running loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(_close_after(leave))).result()


def test_the_client_reads_the_response_before_the_connection_closes() -> None:
    assert _run(None) == b"response"


def test_a_connection_that_the_client_has_reset_is_closed_without_an_error() -> None:
    assert _run(b"request") == b""
