"""Refusals of the layers before the routes, over a real socket: the page gets its language."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from clearcnn.language import load_language, say

CHECK = "/page/playground/check"
KOREAN = {"Accept-Language": "ko-KR,ko;q=0.9,en;q=0.8"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(
    start: Callable[..., Any], digits_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    place = tmp_path_factory.mktemp("language")
    with start(place, digits_run, "--body-seconds", "1") as server:
        yield server


def stall() -> Iterator[bytes]:
    """A body whose end does not come in time."""
    yield b"{"
    time.sleep(1.5)
    yield b"}"


REFUSED = {
    "host": (421, "/", {"headers": {"Host": "evil.example"}}),
    "host of the data": (421, "/page/models", {"headers": {"Host": "["}}),
    "origin": (403, "/page/models", {"headers": {"Origin": "https://evil.example"}}),
    "length": (413, CHECK, {"content": bytes(70_000)}),
    "body": (413, CHECK, {"content": lambda: (bytes(1000) for _ in range(70))}),
    "encoding": (415, CHECK, {"content": b"{}", "headers": {"Content-Encoding": "br"}}),
    "packed": (400, CHECK, {"content": b"{}", "headers": {"Content-Encoding": "gzip"}}),
    "slow": (408, CHECK, {"content": stall}),
}


def send(server: Any, case: str, headers: dict[str, str], path: str | None = None) -> str:
    status, own, request = REFUSED[case]
    request = dict(request)
    content = request.get("content")
    if callable(content):
        request["content"] = content()
    request["headers"] = {**JSON, **request.get("headers", {}), **headers}
    method = "POST" if content is not None else "GET"
    answer = httpx.request(method, server.url + (path or own), timeout=20, **request)
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"])


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_before_the_routes_is_told_in_the_language_of_the_page(server, case):
    english, korean = send(server, case, {"Accept-Language": "en"}), send(server, case, KOREAN)
    assert not re.search("[가-힣]", english)
    # A problem and a remedy, both in Korean.
    assert len(re.findall(r"[가-힣]\.", korean)) >= 2
    assert not re.search("The |Send |Ask |Use ", korean)


def test_programs_get_english_from_the_layers_too(server):
    assert "evil.example" in send(server, "host", KOREAN, "/v2")
    assert not re.search("[가-힣]", send(server, "host", KOREAN, "/v2"))
    assert not re.search("[가-힣]", send(server, "packed", KOREAN, "/predict"))


def test_the_language_may_stand_in_the_address(server):
    # As an EventSource does, which cannot send headers.
    assert re.search("[가-힣]", send(server, "origin", {}, "/page/models?lang=ko"))


def test_a_missing_token_is_told_in_the_language_of_the_page(serve, digits_run):
    with serve(digits_run, CLEARCNN_TOKEN="a-token-of-enough-letters") as server:
        answer = httpx.get(server.url + "/", headers=KOREAN)
    expected = load_language("ko").translate(say("The request has no token, or a wrong one."))
    assert answer.status_code == 401
    assert answer.json()["error"].startswith(expected) and re.search("[가-힣]", expected)
