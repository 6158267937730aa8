"""A real server: many clients, a run replaced under load, and shutdown."""

import shutil
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.process

PNG = {"Content-Type": "image/png"}
TOKEN = "a-token-of-enough-letters"


@pytest.fixture
def digit(digits: Any, png: Callable[[Any], bytes]) -> bytes:
    return png(digits[0] * 15)


def test_what_was_taken_is_finished_after_sigterm(
    serve: Callable[..., Any], digits_run: Path, digit: bytes
) -> None:
    with (
        serve(digits_run) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=20) as made,
    ):
        top = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
        made.sendall(f"{top}Content-Length: {len(digit)}\r\n\r\n".encode() + digit[:10])
        time.sleep(0.5)
        server.process.terminate()
        time.sleep(0.5)
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", server.port), timeout=5)
        made.sendall(digit[10:])
        answer = made.recv(65536)
        assert answer.startswith(b"HTTP/1.1 200")
        assert server.process.wait(20) == 0
        assert server.lines()[-1]["event"] == "stopped"
        assert "Traceback" not in server.log.read_text()


@pytest.mark.release
def test_a_run_replaced_under_load_loses_no_request(
    serve: Callable[..., Any], digits_run: Path, colours_run: Path, digit: bytes, tmp_path: Path
) -> None:
    place = tmp_path / "model"
    shutil.copytree(digits_run, place)

    def ask(client: httpx.Client, until: float) -> list[tuple[int, frozenset[str]]]:
        seen = []
        while time.monotonic() < until:
            answer = client.post("/predict?top=10", content=digit, headers=PNG)
            classes = answer.json().get("predictions", [{"top": []}])[0]["top"]
            seen.append((answer.status_code, frozenset(each["name"] for each in classes)))
        return seen

    with serve(place) as server, httpx.Client(base_url=server.url) as client:
        until = time.monotonic() + 6
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(ask, client, until) for _ in range(8)]
            for run in (colours_run, digits_run, colours_run):
                time.sleep(1.5)
                new, old = tmp_path / "new", tmp_path / "old"
                shutil.copytree(run, new)
                place.rename(old)
                new.rename(place)
                shutil.rmtree(old)
            answers = [each for future in asked for each in future.result()]
        assert {status for status, _ in answers} == {200}
        assert {len(classes) for _, classes in answers} == {3, 10}
        assert server.stop() == 0
        assert [line["event"] for line in server.lines()].count("model reloaded") >= 2


def test_a_full_queue_answers_503_and_lives(
    serve: Callable[..., Any], digits_run: Path, digit: bytes
) -> None:
    with serve(digits_run, "--threads", "1", "--queue", "1") as server:
        files = [("files", ("a.png", digit))] * 64

        def ask(_: int) -> httpx.Response:
            return httpx.post(f"{server.url}/predict", files=files, timeout=30)

        with ThreadPoolExecutor(16) as pool:
            asked = pool.map(ask, range(64))
            alive = [httpx.get(f"{server.url}/v2/health/live", timeout=10) for _ in range(10)]
            answers = list(asked)
        assert {answer.status_code for answer in answers} == {200, 503}
        busy = next(answer for answer in answers if answer.status_code == 503)
        assert int(busy.headers["retry-after"]) >= 1
        assert list(busy.json()) == ["error"]
        assert {answer.status_code for answer in alive} == {200}


def test_beyond_loopback_it_says_what_is_exposed_and_asks_for_the_token(
    serve: Callable[..., Any], digits_run: Path, tmp_path: Path
) -> None:
    with serve(digits_run, "--host", "0.0.0.0", CLEARCNN_TOKEN=TOKEN) as server:
        url = f"http://127.0.0.1:{server.port}/v2"
        assert httpx.get(url).status_code == 401
        assert httpx.get(url, headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
        assert server.stop() == 0
    log = server.log.read_text()
    assert "Other computers can reach this server" in log
    assert TOKEN not in log
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    with serve(digits_run, "--token-file", file) as server:
        assert httpx.get(f"{server.url}/v2").status_code == 401
        assert httpx.get(f"{server.url}/v2", auth=("me", TOKEN)).status_code == 200


def test_it_can_be_reached_by_ipv6(serve: Callable[..., Any], digits_run: Path) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this computer has no IPv6")
    with serve(digits_run, "--host", "::1") as server:
        assert server.url.startswith("http://[::1]:")
        assert httpx.get(f"{server.url}/v2").status_code == 200
        assert httpx.get(f"{server.url}/page/models").json()["playground"] is True
        foreign = httpx.get(f"{server.url}/v2", headers={"Host": "[2001:db8::1]"})
        assert foreign.status_code == 421


@pytest.mark.release
def test_connections_that_ended_leave_nothing(serve: Callable[..., Any], digits_run: Path) -> None:
    """6,000 of them once left 6 to 20 MiB."""

    def connect(server: Any, count: int) -> None:
        request = b"GET /v2 HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for _ in range(count):
            with socket.create_connection(("127.0.0.1", server.port), timeout=20) as made:
                made.sendall(request)
                assert made.recv(4096).startswith(b"HTTP/1.1 200")

    with serve(digits_run) as server:
        connect(server, 1500)
        before = server.peak_bytes()
        connect(server, 6000)
        assert server.peak_bytes() - before < 3 * 2**20
