"""A small version of the load benchmark: 64 concurrent clients, and each gets its response."""

import importlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[2]


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The benchmark, which is not part of the installed package."""
    monkeypatch.syspath_prepend(ROOT)
    return importlib.import_module("benchmarks.serving")


def test_sixty_four_clients_are_all_answered(
    serving: Any, serve: Callable[..., Any], digits_run: Path, digits: Any
) -> None:
    tensor = {
        "name": "images",
        "datatype": "UINT8",
        "shape": [1, 8, 8, 1],
        "data": digits[0].ravel().tolist(),
    }
    body = json.dumps({"inputs": [tensor]}).encode()
    with serve(digits_run) as server:
        address = f"{server.url}/v2/models/digits/infer"
        # In a separate thread: a browser test may occupy this thread's event loop.
        with ThreadPoolExecutor(1) as pool:
            load = pool.submit(serving.put_load, address, body, clients=64, seconds=3).result()
        assert list(load.statuses) == ["200"]
        assert len(load.milliseconds) >= 64
        assert "requests/s" in str(load)
        assert server.stop() == 0
        # The server's counts match those of the clients.
        asked = [line for line in server.lines() if line["event"] == "request"]
        assert len(asked) == load.statuses["200"]


def test_a_bare_loop_runs_the_same_model(serving: Any, digits_run: Path, digits: Any) -> None:
    assert serving.run_bare(digits_run / "model.onnx", digits[:2], 0.1) > 0
