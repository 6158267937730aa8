"""Compressed or too large bodies; slow ones are in test_hostile.py, on a real socket."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from clearcnn.web import http_errors
from clearcnn.web.request_body import BodyReader
from clearcnn.web.settings import ServeSettings

pytestmark = pytest.mark.attack

INFER = "/v2/models/digits/infer"
TENSOR = {"name": "images", "datatype": "UINT8", "shape": [1, 8, 8, 1], "data": [0] * 64}
TEXT = json.dumps({"inputs": [TENSOR]}).encode()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("identity", bytes),
        ("GZIP", gzip.compress),
    ],
)
def test_packed_bodies_are_unpacked(
    client: TestClient, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    answer = client.post(INFER, content=pack(TEXT), headers={"Content-Encoding": encoding})
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x"])
def test_other_encodings_are_415(client: TestClient, encoding: str) -> None:
    answer = client.post(INFER, content=TEXT, headers={"Content-Encoding": encoding})
    assert answer.status_code == 415
    assert answer.headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    "body",
    [b"", TEXT, gzip.compress(TEXT)[:-5], gzip.compress(TEXT) + b"more"],
    ids=["empty", "plain", "truncated", "data follow"],
)
def test_what_is_not_packed_as_it_says_is_400(client: TestClient, body: bytes) -> None:
    answer = client.post(INFER, content=body, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 400
    assert "cannot be decompressed" in answer.json()["error"]


def chunked(count: int) -> Any:
    return (b"x" * 1000 for _ in range(count))


def test_bodies_are_bounded_packed_or_not(
    make_client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The test client never signals the end of the body.
    monkeypatch.setattr(http_errors, "_LINGER_SECONDS", 0.1)
    client = make_client(max_body_bytes=10_000)
    fits = client.post("/predict", content=b"x" * 10_000, headers={"Content-Type": "image/png"})
    assert fits.status_code == 400
    declared = client.post("/predict", content=b"x" * 10_001)
    assert (declared.status_code, "10,001 bytes" in declared.text) == (413, True)
    assert client.post("/predict", content=chunked(11)).status_code == 413
    bomb = zlib.compress(bytes(2**27), 9)  # Chains would need more than the 130 kB sent.
    assert len(bomb) > 10_000
    client = make_client(max_body_bytes=2**18)
    packed = client.post(INFER, content=bomb, headers={"Content-Encoding": "deflate"})
    assert (packed.status_code, "decompressed" in packed.text) == (413, True)


def test_all_bodies_together_are_bounded(run_loop) -> None:
    """Sixteen bodies fill the budget; another one replaces the oldest."""
    served: list[bytes] = []

    async def play() -> None:
        done, gone = asyncio.Event(), asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            served.append((await receive())["body"])
            await done.wait()

        reader = BodyReader(app, ServeSettings(max_body_bytes=1000))

        async def ask(content: bytes, *, more: bool) -> list[Any]:
            sent: list[Any] = []
            messages = [{"type": "http.request", "body": content, "more_body": more}]

            async def receive() -> Any:
                if messages:
                    return messages.pop()
                await gone.wait()
                return {"type": "http.disconnect"}

            async def send(message: Any) -> None:
                sent.append(message)

            await reader({"type": "http", "path": "/predict", "headers": []}, receive, send)
            return sent

        coming = [asyncio.create_task(ask(b"x" * 1000, more=True)) for _ in range(16)]
        await asyncio.sleep(0)
        whole = asyncio.create_task(ask(b"whole", more=False))
        await asyncio.sleep(0.05)
        assert served == [b"whole"]
        # A complete body is not replaced.
        others = [asyncio.create_task(ask(b"y" * 1000, more=False)) for _ in range(15)]
        await asyncio.sleep(0.05)
        refused = await ask(b"z" * 1000, more=False)
        assert refused[0]["status"] == 503
        assert (b"retry-after", b"1") in refused[0]["headers"]
        assert len(served) == 16
        gone.set()
        for sent in await asyncio.gather(*coming):
            assert sent[0]["status"] == 503
        done.set()
        await asyncio.gather(whole, *others)
        await ask(b"again", more=False)
        assert served[-1] == b"again"

    run_loop(play())


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_the_page_asks_for_little(
    client: TestClient, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Millions of empty objects once took 1.4 GB and blocked all requests for 7 seconds."""
    monkeypatch.setattr(http_errors, "_LINGER_SECONDS", 0.1)
    body = b'{"run":"digits","layers":[' + b"{}," * 30_000 + b"{}]}"
    kind = {"Content-Type": "application/json"}
    if pack is not bytes:
        kind["Content-Encoding"] = "gzip"
    for path in ("check", "prepare", "attempts"):
        answer = client.post(f"/page/playground/{path}", content=pack(body), headers=kind)
        assert answer.status_code == 413
        assert "65,536 bytes" in answer.json()["error"]
