"""Connections: clients that do not read are disconnected, and their number is limited."""

import asyncio
import socket
import subprocess
import sys

import pytest
import uvicorn

from clearcnn.web import connections
from clearcnn.web.connections import Connection

pytestmark = pytest.mark.attack

ANSWER = bytes(64 * 2**20)


@pytest.mark.parametrize("size", [len(ANSWER), 2**23])
def test_an_answer_that_nobody_reads_is_given_up(
    run_loop, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(connections, "STALL_SECONDS", 0.5)
    ended = []

    async def app(scope: object, receive: object, send: object) -> None:
        assert callable(send)
        headers = [(b"content-length", str(size).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for start in range(0, size, 2**20):
            piece = {"type": "http.response.body", "body": ANSWER[: 2**20], "more_body": True}
            await send({**piece, "more_body": start + 2**20 < size})
        ended.append(size)

    async def play() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, http=Connection, ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server._serve([listener]))
        loop = asyncio.get_running_loop()
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            await loop.sock_connect(client, listener.getsockname())
            request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            await loop.sock_sendall(client, request)
            async with asyncio.timeout(20):
                while not server.server_state.connections:
                    await asyncio.sleep(0.01)
                while server.server_state.connections:
                    await asyncio.sleep(0.01)
            server.should_exit = True
            await task

    run_loop(play())
    assert ended == [size]


@pytest.mark.parametrize(
    "begun",
    [b"", b"GET / HTTP/1.1\r\nHo", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"],
    ids=["silent", "in the head", "in the body"],
)
def test_a_new_client_takes_the_place_of_the_slowest(
    run_loop, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    monkeypatch.setattr(connections, "allow_connections", lambda: 3)

    async def app(scope: object, receive: object, send: object) -> None:
        assert callable(receive) and callable(send)
        while (message := await receive()).get("more_body"):
            pass
        if message["type"] == "http.request":
            headers = [(b"content-length", b"2")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"ok"})

    async def play() -> list[bool]:
        listener = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(app, http=Connection, ws="none", lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        task = asyncio.create_task(server._serve([listener]))
        held = []
        for _ in range(3):
            held.append(await asyncio.open_connection(*listener.getsockname()))
            held[-1][1].write(begun)
            await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        await asyncio.sleep(0.05)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"ok")
        hung_up = []
        for other, closing in held:
            try:
                async with asyncio.timeout(0.1):
                    hung_up.append(await other.read() == b"")
            except ConnectionResetError:
                hung_up.append(True)
            except TimeoutError:
                hung_up.append(False)
            closing.close()
        writer.close()
        server.should_exit = True
        await task
        return hung_up

    assert run_loop(play()) == [True, False, False]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize(
    ("soft", "hard", "files", "most"),
    [(256, 256, 256, 68), (256, 5000, 4096, 900), (64, 64, 64, 8), (1024, 1024, 1024, 452)],
)
def test_there_are_no_more_connections_than_there_can_be_files(
    soft: int, hard: int, files: int, most: int
) -> None:
    program = (
        "import resource as r\n"
        "from clearcnn.web.connections import allow_connections\n"
        f"r.setrlimit(r.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "print(allow_connections(), r.getrlimit(r.RLIMIT_NOFILE)[0])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(most), str(files)]
