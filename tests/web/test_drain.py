"""A real server that shuts down: no request before the end is lost."""

import re
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.process

LIVE, READY = "/v2/health/live", "/v2/health/ready"
READY_OF_MODELS = ("/v2/models/digits/ready", "/v2/models/digits/versions/1/ready")


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


def read_answer(made: socket.socket) -> tuple[int, bool]:
    """The status of a response, and whether the connection closes after it."""
    text = b""
    while b"\r\n\r\n" not in text:
        text += (came := made.recv(65536))
        assert came, "The connection was closed without a response."
    head, _, body = text.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head)
    assert length
    while len(body) < int(length[1]):
        body += (came := made.recv(65536))
        assert came, "The connection was closed in the middle of a response."
    return int(head.split()[1]), b"\r\nconnection: close" in head.lower()


@dataclass
class Client:
    """Sends requests on one connection without a pause, as a load balancer does.

    Attributes:
      is_told: set once the load balancer knows that the server is not ready.
      failures: of requests that were sent.
    """

    port: int
    request: bytes
    is_told: threading.Event
    statuses: list[int] = field(default_factory=list)
    closes: int = 0
    failures: list[str] = field(default_factory=list)

    def run(self) -> None:
        while not self.is_told.is_set():
            with connect(self.port) as made:
                self._ask_until_it_closes(made)

    def _ask_until_it_closes(self, made: socket.socket) -> None:
        while True:
            try:
                made.sendall(self.request)
                status, closes = read_answer(made)
            except (OSError, AssertionError) as error:
                self.failures.append(repr(error))
                return
            self.statuses.append(status)
            if closes:
                self.closes += 1
                assert made.recv(1) == b""
                return


@pytest.fixture
def drained(serve: Callable[..., Any], digits_run: Path) -> Iterator[Callable[..., Any]]:
    yield lambda seconds: serve(digits_run, "--drain-seconds", seconds)


@pytest.fixture
def wide() -> list[dict[str, Any]]:
    """Layers whose training takes long."""
    conv = {"filters": 64, "kernel_size": 3, "padding": "same"}
    return [
        {"layer": "Conv2D", "arguments": conv},
        {"layer": "Conv2D", "arguments": conv},
        {"layer": "Flatten"},
        {"layer": "Dense", "arguments": {"units": 10, "activation": "softmax"}},
    ]


def wait_until_ready(server: Any) -> None:
    """A signal between the announcement and the start ends the server cleanly."""
    assert httpx.get(server.url + READY).json() == {"ready": True}


def wait_until_not_ready(server: Any) -> None:
    until = time.monotonic() + 30
    while httpx.get(server.url + READY).status_code == 200:
        assert time.monotonic() < until
    assert httpx.get(server.url + READY).json() == {"ready": False}


def test_no_request_that_was_sent_is_lost(
    drained: Callable[..., Any], digits: Any, png: Callable[[Any], bytes]
) -> None:
    picture = png(digits[0] * 15)
    top = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
    post = f"{top}Content-Length: {len(picture)}\r\n\r\n".encode() + picture
    told = threading.Event()
    with drained(10) as server, connect(server.port) as idle, ThreadPoolExecutor(8) as pool:
        clients = [Client(server.port, request, told) for request in (get("/v2"), post) * 4]
        runs = [pool.submit(client.run) for client in clients]
        try:
            idle.sendall(get("/v2"))
            assert read_answer(idle) == (200, False)
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            wait_until_not_ready(server)
            for path in READY_OF_MODELS:
                assert httpx.get(server.url + path).status_code == 503
            # It is live, and still serves clients that have not noticed the drain.
            assert httpx.get(server.url + LIVE).json() == {"live": True}
            late = httpx.get(server.url + "/v2")
            assert (late.status_code, late.headers["connection"]) == (200, "close")
        finally:
            told.set()
        for run in runs:
            run.result()
        assert idle.recv(1) == b"", "An idle connection ends without a reset."
        idle.close()
        assert server.process.wait(60) == 0
        assert [failure for client in clients for failure in client.failures] == []
        assert {status for client in clients for status in client.statuses} == {200}
        assert all(client.closes for client in clients)
        events = [line["event"] for line in server.lines() if line["event"] != "request"]
        assert events == ["listening", "draining", "stopped"]


def test_a_request_that_has_begun_at_the_end_is_answered(drained: Callable[..., Any]) -> None:
    with drained(0) as server, connect(server.port) as new, connect(server.port) as kept:
        kept.sendall(get("/v2"))
        assert read_answer(kept) == (200, False)
        for made in (new, kept):
            made.sendall(get("/v2")[:20])
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        while True:
            try:
                connect(server.port).close()
            except OSError:
                break
        time.sleep(1)  # Idle connections are closed by now.
        for made in (new, kept):
            made.sendall(get("/v2")[20:])
            assert read_answer(made) == (200, True)
        assert server.process.wait(60) == 0


def test_nobody_waits_at_a_terminal(drained: Callable[..., Any]) -> None:
    with drained(3600) as server:
        wait_until_ready(server)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(60) == 0


def test_nobody_waits_for_a_training_that_the_page_shows(
    drained: Callable[..., Any], wide: list[dict[str, Any]]
) -> None:
    """Once this took 45 seconds and left a traceback."""
    with drained(3600) as server:
        asked = {"run": "digits", "layers": wide, "epochs": 200}
        begun = httpx.post(f"{server.url}/page/playground/attempts", json=asked, timeout=30)
        path = f"/page/playground/attempts/{begun.json()['number']}/events"
        with httpx.stream("GET", server.url + path, timeout=30) as events:
            server.process.send_signal(signal.SIGINT)
            for line in events.iter_lines():
                assert '"end"' not in line
        assert server.process.wait(60) == 0
        assert "Traceback" not in server.log.read_text()


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(drained: Callable[..., Any], second: int) -> None:
    with drained(3600) as server:
        wait_until_ready(server)
        server.process.send_signal(signal.SIGTERM)
        wait_until_not_ready(server)
        server.process.send_signal(second)
        assert server.process.wait(60) == -second


def test_an_answer_is_read_whatever_else_was_sent(
    serve: Callable[..., Any], digits_run: Path
) -> None:
    """Closing a socket with unread bytes would reset the connection."""
    last = get("/v2").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with serve(digits_run) as server:
        for _ in range(20):
            with connect(server.port) as made:
                made.sendall(last + get("/v2") * 5000)
                assert read_answer(made) == (200, True)
                assert made.recv(1) == b""
        assert "Traceback" not in server.log.read_text()
