"""A real server under attack: during each attack, an honest client gets its responses."""

import contextlib
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

pytestmark = pytest.mark.attack

MIB = 2**20
SECONDS = 2.0
BOUNDARY = "multipart/form-data; boundary=B"
FILE = b'--B\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n'
WASM = "/static/vendor/ort-wasm-simd-threaded.wasm"


class Attacker:
    """One client that repeats its request until the end."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.until = time.monotonic() + SECONDS
        self.held: list[socket.socket] = []

    @property
    def goes_on(self) -> bool:
        return time.monotonic() < self.until

    def connect(self, text: bytes = b"", *, receive_bytes: int = 0) -> socket.socket:
        made = socket.socket()
        self.held.append(made)
        if receive_bytes:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        made.settimeout(1)
        made.connect(("127.0.0.1", self.port))
        made.sendall(text)
        return made

    def ask(self, text: bytes) -> None:
        made = self.connect(text)
        while made.recv(65536):
            pass

    def wait(self) -> None:
        time.sleep(max(0.0, self.until - time.monotonic()))

    def close(self) -> None:
        for made in self.held:
            made.close()


def head(length: int | None, kind: str = "image/png", *more: str) -> bytes:
    size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
    lines = ("POST /predict HTTP/1.1", "Host: localhost", f"Content-Type: {kind}", size, *more)
    return "\r\n".join([*lines, "", ""]).encode()


def get(path: str, *more: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "Host: localhost", *more, "", ""]).encode()


def post(attacker: Attacker, body: bytes, kind: str = "image/png", *more: str) -> None:
    attacker.ask(head(len(body), kind, "Connection: close", *more) + body)


def send_crumbs(attacker: Attacker) -> None:
    made = attacker.connect(head(None))
    while attacker.goes_on:
        made.sendall(b"1\r\nx\r\n" * 40_000)


def almost_end_the_boundary(attacker: Attacker) -> None:
    post(attacker, FILE + b"\r\n" + b"\r\n--" * (MIB // 5) + b"\r\n--B--\r\n", BOUNDARY)


def send_many_parts(attacker: Attacker) -> None:
    post(attacker, (FILE + b"\r\n\r\n") * (MIB // 80) + b"--B--\r\n", BOUNDARY)


def send_a_part_of_many_headers(attacker: Attacker) -> None:
    post(attacker, FILE + b"X: y\r\n" * (MIB // 8) + b"\r\n\r\n--B--\r\n", BOUNDARY)


def send_many_headers(attacker: Attacker) -> None:
    attacker.ask(get("/v2", *["X: y"] * 100_000))


def send_a_long_address(attacker: Attacker) -> None:
    attacker.ask(get("/" + "a" * MIB))


def say_nothing(attacker: Attacker) -> None:
    while attacker.goes_on:
        attacker.connect()


def begin_heads(attacker: Attacker) -> None:
    while attacker.goes_on:
        attacker.connect(b"GET /v2 HTTP/1.1\r\nHost: lo")


def begin_bodies(attacker: Attacker) -> None:
    while attacker.goes_on:
        attacker.connect(head(1000) + b"x")


def leave_bodies_unfinished(attacker: Attacker) -> None:
    while attacker.goes_on and len(attacker.held) < 64:
        attacker.connect(head(MIB) + bytes(MIB - 1))
    attacker.wait()


def leave_answers_unread(attacker: Attacker) -> None:
    while attacker.goes_on and len(attacker.held) < 64:
        attacker.connect(get(WASM, "Accept-Encoding: identity"), receive_bytes=4096)
    attacker.wait()


def ask_on_and_on_and_read_nothing(attacker: Attacker) -> None:
    made = attacker.connect(receive_bytes=4096)
    while attacker.goes_on:
        made.sendall(get("/v2") * 1000)


def send_bombs(attacker: Attacker) -> None:
    post(attacker, zlib.compress(bytes(MIB), 9), "image/png", "Content-Encoding: deflate")


def go_away(attacker: Attacker) -> None:
    attacker.connect(head(1000) + b"x").close()


@cache
def black_png(side: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (side, side)).save(file, "PNG")
    return file.getvalue()


@cache
def jpeg_of_many_scans(count: int) -> bytes:
    """A JPEG of a million pixels with many scans of 15 bytes each."""
    file = BytesIO()
    Image.new("L", (1000, 1000)).save(file, "JPEG", progressive=True)
    content = file.getvalue()
    last = content.rfind(b"\xff\xda")
    return content[:last] + content[last:-2] * count + content[-2:]


def send_pictures(attacker: Attacker, picture: bytes, count: int) -> None:
    post(attacker, (FILE + b"\r\n" + picture + b"\r\n") * count + b"--B--\r\n", BOUNDARY)


def send_more_pixels_than_are_taken(attacker: Attacker) -> None:
    send_pictures(attacker, black_png(5000), 12)


def send_as_many_pixels_as_are_taken(attacker: Attacker) -> None:
    send_pictures(attacker, black_png(5000), 4)


def send_one_large_picture(attacker: Attacker) -> None:
    post(attacker, black_png(5000))


def send_scans(attacker: Attacker) -> None:
    send_pictures(attacker, jpeg_of_many_scans(780), 60)


def send_a_picture_of_many_scans(attacker: Attacker) -> None:
    post(attacker, jpeg_of_many_scans(780))


def leave_after_a_picture(attacker: Attacker) -> None:
    picture = black_png(1500)
    attacker.connect(head(len(picture)) + picture).close()
    time.sleep(0.02)  # Otherwise it would be a flood of connections, which is another attack.


def ask_for_many_answers(attacker: Attacker) -> None:
    tensor = b'{"inputs":[{"name":"images","datatype":"UINT8","shape":[4096,8,8,1],"data":['
    body = tensor + b"0," * (4096 * 64 - 1) + b"0]}]}"
    lines = ("POST /v2/models/digits/infer HTTP/1.1", "Host: localhost", "Connection: close")
    attacker.ask("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body)


def send_objects_to_the_page(attacker: Attacker) -> None:
    body = b'{"run":"digits","layers":[' + b"{}," * (MIB // 4) + b"{}]}"
    lines = ("POST /page/playground/check HTTP/1.1", "Host: localhost", "Connection: close")
    kind = ("Content-Type: application/json", f"Content-Length: {len(body)}", "", "")
    attacker.ask("\r\n".join([*lines, *kind]).encode() + body)


ATTACKS = [
    send_crumbs,
    almost_end_the_boundary,
    send_many_parts,
    send_a_part_of_many_headers,
    send_many_headers,
    send_a_long_address,
    say_nothing,
    begin_heads,
    begin_bodies,
    leave_bodies_unfinished,
    leave_answers_unread,
    ask_on_and_on_and_read_nothing,
    send_bombs,
    go_away,
    send_more_pixels_than_are_taken,
    send_as_many_pixels_as_are_taken,
    send_one_large_picture,
    send_scans,
    send_a_picture_of_many_scans,
    leave_after_a_picture,
    ask_for_many_answers,
    send_objects_to_the_page,
]


@pytest.fixture(scope="module")
def server(
    start: Callable[..., Any], digits_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    for side in (1500, 5000):  # Prepared in advance, so that the attacks begin at once.
        black_png(side)
    place = tmp_path_factory.mktemp("attacked")
    with start(place, digits_run, "--max-body-bytes", MIB) as server:
        yield server


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_an_honest_client_is_answered(
    server: Any, digits: Any, png: Callable[[Any], bytes], attack: Callable[[Attacker], None]
) -> None:
    def go_on(attacker: Attacker) -> None:
        while attacker.goes_on:
            with contextlib.suppress(OSError):  # Rejected, as it should be.
                attack(attacker)
        attacker.close()

    attackers = [Attacker(server.port) for _ in range(3)]
    threads = [threading.Thread(target=go_on, args=(attacker,)) for attacker in attackers]
    for thread in threads:
        thread.start()
    statuses = []
    picture, until = png(digits[0] * 15), time.monotonic() + SECONDS
    while time.monotonic() < until:
        # Each on a new connection, like a new client.
        answer = httpx.post(
            f"{server.url}/predict", content=picture, headers={"Content-Type": "image/png"}
        )
        statuses.append(answer.status_code)
    for thread in threads:
        thread.join()
    assert statuses
    assert set(statuses) == {200}


def test_no_attack_made_it_grow_or_fail(server: Any) -> None:
    """Runs last: all attacks, of which one alone once took 1.4 GB."""
    assert server.peak_bytes() < 500 * MIB
    assert server.stop() == 0
    assert "Traceback" not in server.log.read_text()
