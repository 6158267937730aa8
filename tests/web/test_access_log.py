"""Request ids, the log, metrics, and internal errors."""

import io
import json
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from clearcnn.prediction import Predictor
from clearcnn.web.access_log import LOGGER, JsonFormatter, log, start_logging

PNG = {"Content-Type": "image/png"}


@pytest.fixture
def digit(digits: Any, png: Callable[[Any], bytes]) -> bytes:
    return png(digits[0] * 15)


def figures(client: TestClient) -> dict[tuple[str, ...], float]:
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.mark.parametrize("given", ["abc-1.2_3", "x" * 64])
def test_a_decent_id_is_kept(client: TestClient, given: str) -> None:
    answer = client.get("/v2", headers={"X-Request-ID": given})
    assert answer.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\tb", '"'])
def test_any_other_is_replaced(client: TestClient, given: str) -> None:
    ids = {client.get("/v2", headers={"X-Request-ID": given}).headers["x-request-id"] for _ in "ab"}
    assert len(ids) == 2
    assert all(len(each) == 32 for each in ids)


def test_a_request_is_one_line_of_json(
    client: TestClient, digit: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, LOGGER):
        client.post("/predict", content=digit, headers={**PNG, "X-Request-ID": "one"})
        client.get("/no%0Athing%1b[31m", headers={"X-Request-ID": "two"})
    lines = [JsonFormatter().format(record) for record in caplog.records]
    assert all("\n" not in line and "\x1b" not in line for line in lines)
    one, two = (line for line in map(json.loads, lines) if line.get("request_id") in ("one", "two"))
    assert one["event"] == "request"
    assert (one["method"], one["path"], one["status"]) == ("POST", "/predict", 200)
    assert (one["model"], one["images"]) == ("digits", 1)
    assert one["seconds"] > 0
    assert (two["path"], two["status"]) == ("/no\nthing\x1b[31m", 404)


def test_figures_count_what_was_done(client: TestClient, digit: bytes) -> None:
    for _ in range(3):
        client.post("/predict", content=digit, headers=PNG)
    client.post("/predict", content=b"x", headers=PNG)
    for k in range(5):
        client.get(f"/nothing/{k}")
    client.request("BREW", "/nothing")
    found = figures(client)
    assert found["clearcnn_requests_total", "POST", "/predict", "200"] == 3
    assert found["clearcnn_requests_total", "POST", "/predict", "400"] == 1
    assert found["clearcnn_requests_total", "GET", "unknown", "404"] == 5
    assert found["clearcnn_requests_total", "other", "unknown", "404"] == 1
    assert found["clearcnn_images_total", "digits"] == 3
    assert found["clearcnn_request_seconds_count", "/predict"] == 4
    assert found["clearcnn_open_requests",] == 1  # The one that asks.
    assert found["clearcnn_queue_waiting",] == 0


def test_our_own_failure_is_500_in_json_and_logged_with_its_id(
    client: TestClient, digit: bytes, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(Predictor, "predict_with_distances", fail)
    answer = client.post("/predict", content=digit, headers={**PNG, "X-Request-ID": "bad"})
    assert answer.status_code == 500
    assert list(answer.json()) == ["error"]
    assert "bad" in answer.json()["error"]
    assert "secret" not in answer.text
    logged = [record for record in caplog.records if record.exc_info]
    assert any("secret detail" in JsonFormatter().format(record) for record in logged)
    monkeypatch.undo()
    assert client.post("/predict", content=digit, headers=PNG).status_code == 200


def test_people_get_few_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests that succeeded are left out; failures and events are one line each."""
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    loggers = [logging.getLogger(name) for name in (LOGGER, "uvicorn")]
    before = [(each.handlers, each.propagate, each.level) for each in loggers]
    try:
        start_logging(as_json=False)
        log("listening", host="127.0.0.1", port=8000)
        log("request", path="/predict", status=200)
        log("request", path="/predict", status=404)
        log("request", path="/predict", status=503)
        log("model reloaded", model="di\x1bgits")
        log("model not reloaded", level=logging.ERROR, model="digits", error="damaged")
    finally:
        for each, (handlers, propagate, level) in zip(loggers, before, strict=True):
            each.handlers, each.propagate = handlers, propagate
            each.setLevel(level)
    lines = [line.partition("  ")[2] for line in said.getvalue().splitlines()]
    assert lines == [
        "request  path /predict · status 503",
        "model reloaded  model di\\x1bgits",
        "error: model not reloaded  model digits · error damaged",
    ]
