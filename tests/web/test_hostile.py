"""A real server with slow, broken or greedy clients. Other clients must not be affected."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from clearcnn.web import connections

pytestmark = pytest.mark.attack

Connect = Callable[..., socket.socket]

MIB = 2**20
PICTURE = {"Content-Type": "image/png"}


@pytest.fixture
def server(serve: Callable[..., Any], digits_run: Path) -> Iterator[Any]:
    with serve(digits_run, "--body-seconds", "2", "--max-body-bytes", MIB) as server:
        yield server


@pytest.fixture
def digit(digits: Any, png: Callable[[Any], bytes]) -> bytes:
    return png(digits[0] * 15)


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens a socket to a server and sends data; all sockets are closed at the end."""
    with ExitStack() as stack:

        def make(server: Any, text: bytes = b"") -> socket.socket:
            made = socket.create_connection(("127.0.0.1", server.port), timeout=20)
            stack.enter_context(made)
            made.sendall(text)
            return made

        yield make


def head(length: int | None, path: str = "/predict", *more: str) -> bytes:
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = (f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: image/png", size, *more)
    return "\r\n".join([*lines, "", ""]).encode()


def read_answer(made: socket.socket) -> tuple[int, dict[str, Any]]:
    """Status and JSON of a response after which the server closes."""
    text = b""
    while chunk := made.recv(65536):
        text += chunk
    top, _, body = text.partition(b"\r\n\r\n")
    return int(top.split()[1]), json.loads(body)


def is_hung_up(made: socket.socket) -> bool:
    try:
        return made.recv(1) == b""
    except ConnectionResetError:
        return True


def assert_answers(server: Any, digit: bytes) -> None:
    answer = httpx.post(f"{server.url}/predict", content=digit, headers=PICTURE, timeout=10)
    assert answer.status_code == 200, answer.text


@pytest.mark.release
def test_two_gigabytes_are_refused_and_not_held(
    server: Any, connect: Connect, digit: bytes
) -> None:
    assert_answers(server, digit)
    before = server.peak_bytes()

    def pieces() -> Iterator[bytes]:
        for _ in range(2048):
            yield bytes(MIB)

    # Of unknown length, and sent regardless of the response.
    try:
        answer = httpx.post(f"{server.url}/predict", content=pieces(), headers=PICTURE, timeout=60)
        assert answer.status_code == 413
    except httpx.WriteError:  # The server closed after its response.
        pass
    # Of a declared length.
    made = connect(server, head(2**31))
    status = made.recv(65536).split()[1]
    assert status == b"413"
    made.close()
    assert_answers(server, digit)
    assert [line["status"] for line in server.lines() if "status" in line].count(413) == 2
    assert server.peak_bytes() - before < 16 * MIB


def test_stalled_and_trickled_bodies_end_in_408(
    server: Any, connect: Connect, digit: bytes
) -> None:
    stalled = [connect(server, head(1000) + b"x") for _ in range(50)]
    trickled = connect(server, head(None))
    begin = time.monotonic()
    for _ in range(5):
        trickled.sendall(b"1\r\nx\r\n")
        assert_answers(server, digit)
        time.sleep(0.2)
    for made in (*stalled, trickled):
        status, said = read_answer(made)
        assert status == 408
        assert "within 2 seconds" in said["error"]
        made.close()
    assert time.monotonic() - begin < 15


def test_clients_that_go_away_leave_no_traceback(
    server: Any, connect: Connect, digit: bytes
) -> None:
    for text in (b"", b"POST /pre", head(1000), head(1000) + b"x", head(len(digit)) + digit):
        for _ in range(5):
            connect(server, text).close()
    time.sleep(0.5)
    assert_answers(server, digit)
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()
    statuses = [line.get("status") for line in server.lines()]
    assert 499 in statuses


def test_what_is_no_http_is_answered_in_json(server: Any, connect: Connect, digit: bytes) -> None:
    for text in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n",
        b"hello\r\n\r\n",
        b"GET / HTTP/1.1\r\nno header\r\n\r\n",
        head(None) + b"zz\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
    ):
        made = connect(server, text)
        status, said = read_answer(made)
        assert status in (400, 431), text[:40]
        assert list(said) == ["error"]
        made.close()
    assert_answers(server, digit)
    assert "Traceback" not in server.log.read_text()


def test_pipelined_and_half_closed_requests_are_answered(
    server: Any, connect: Connect, digit: bytes
) -> None:
    made = connect(
        server,
        2 * (head(len(digit)) + digit) + head(len(digit), "/predict", "Connection: close") + digit,
    )
    text = b""
    while chunk := made.recv(65536):
        text += chunk
    assert text.count(b"HTTP/1.1 200 OK") == 3
    made.close()


@pytest.mark.release
def test_heads_that_do_not_come_are_not_awaited_for_ever(
    serve: Callable[..., Any], connect: Connect, digits_run: Path, digit: bytes
) -> None:
    with serve(digits_run) as server:
        silent = [connect(server) for _ in range(20)]
        begun = [connect(server, b"GET /v2 HTTP/1.1\r\nHost: lo") for _ in range(20)]
        again = connect(server, b"GET /v2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not (text := again.recv(65536)).endswith(b"}"):
            assert text
        again.sendall(b"GET /v2 HT")
        assert_answers(server, digit)
        for made in (*silent, *begun, again):
            made.settimeout(2 * connections.HEAD_SECONDS)
            assert is_hung_up(made)


def test_many_connections_are_bounded(server: Any, connect: Connect, digit: bytes) -> None:
    held = [connect(server) for _ in range(950)]
    time.sleep(0.5)
    for made in held:
        made.close()
    time.sleep(0.5)
    assert_answers(server, digit)
    assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["HEAD /v2 HTTP/1.1"], 405),
        (["OPTIONS * HTTP/1.1"], 404),
        (["TRACE /v2 HTTP/1.1", "X-Secret: 7"], 405),
        (["CONNECT evil.example:443 HTTP/1.1"], 404),
        (["GET http://evil.example/v2 HTTP/1.1"], 404),
        (["GET /static/%2e%2e/app.py HTTP/1.1"], 404),
        (["GET /static/app.js%00.css HTTP/1.1"], 404),
        (["GET /v2/models/%0d%0aX-Evil:%20y HTTP/1.1"], 404),
        (["GET /%ff%fe HTTP/1.1"], 404),
        (["GET /v2 HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket"], 200),
        (["GET /v2 HTTP/1.1", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c"], 200),
        (["GET /v2 HTTP/1.0"], 200),
        (["POST /predict HTTP/1.1", "Content-Length: 0", "Expect: tea"], 415),
        (["POST /predict HTTP/1.1", "Content-Length: 1", "Content-Length: 2"], 400),
        (["POST /predict HTTP/1.1", "Transfer-Encoding: gzip, chunked"], 501),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_odd_requests_get_plain_answers(
    odd_server: Any, connect: Connect, lines: list[str], status: int
) -> None:
    text = "\r\n".join([*lines, "Host: localhost", "", ""])
    made = connect(odd_server, text.encode())
    top, _, body = made.recv(65536).partition(b"\r\n\r\n")
    assert int(top.split()[1]) == status
    assert b"\r\nx-evil" not in top.lower()
    assert b"X-Secret" not in body


@pytest.fixture(scope="module")
def odd_server(
    start: Callable[..., Any], digits_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    with start(tmp_path_factory.mktemp("odd"), digits_run) as server:
        yield server
        assert server.stop() == 0
        assert "Traceback" not in server.log.read_text()


def test_no_request_is_smuggled_behind_two_lengths(odd_server: Any, connect: Connect) -> None:
    """By Content-Length it is one request, by the other header two."""
    hidden = b"GET /v2/models/digits HTTP/1.1\r\nHost: localhost\r\n\r\n"
    body = b"0\r\n\r\n" + hidden
    made = connect(odd_server, head(len(body), "/predict", "Transfer-Encoding: chunked") + body)
    status, said = read_answer(made)  # One response, then the end.
    assert status == 400
    assert "Content-Length and Transfer-Encoding" in said["error"]
