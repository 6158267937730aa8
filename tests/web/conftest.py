"""Two small runs, an application in this process, and servers in separate processes."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.special import softmax

pytest.importorskip("fastapi", reason="needs the extra serve")

from fastapi.testclient import TestClient

from clearcnn.web.app import make_app
from clearcnn.web.settings import ServeSettings

BASE = "http://localhost:8000"
FLATTEN = {"layer": "Flatten"}
SOFTMAX = {"layer": "Dense", "arguments": {"units": 10, "activation": "softmax"}}


def conv(**arguments: Any) -> dict[str, Any]:
    return {"layer": "Conv2D", "arguments": {"filters": 4, "kernel_size": 3} | arguments}


def pad(padding: int) -> dict[str, Any]:
    return {"layer": "ZeroPadding2D", "arguments": {"padding": padding}}


IMPOSSIBLE = {
    "unknown_layer": [{"layer": "Conv2d"}],
    "unknown_argument": [conv(stride=2), FLATTEN, SOFTMAX],
    "missing_argument": [FLATTEN, {"layer": "Dense"}],
    "wrong_value": [conv(padding="smae"), FLATTEN, SOFTMAX],
    "strides_and_dilation": [conv(strides=2, dilation_rate=2), FLATTEN, SOFTMAX],
    "name_taken": [conv(name="a"), conv(name="a"), FLATTEN, SOFTMAX],
    "no_layers": [],
    "needs_image": [FLATTEN, conv(), SOFTMAX],
    "too_small": [conv(kernel_size=9), FLATTEN, SOFTMAX],
    "output_image": [conv()],
    "output_units": [FLATTEN, {"layer": "Dense", "arguments": {"units": 9}}],
    "output_layer": [FLATTEN],
    "no_softmax": [FLATTEN, {"layer": "Dense", "arguments": {"units": 10}}],
    "no_softmax_layer": [
        FLATTEN,
        {"layer": "Dense", "arguments": {"units": 10}},
        {"layer": "Dropout", "arguments": {"rate": 0.1}},
    ],
    "too_many_parameters": [conv(filters=60_000, kernel_size=1), FLATTEN, SOFTMAX],
    "too_many_multiply_adds": [*[conv(filters=600, padding="same")] * 2, FLATTEN, SOFTMAX],
    "side_too_long": [*[pad(512)] * 4, FLATTEN, SOFTMAX],
    "too_many_values": [pad(500), conv(filters=24), FLATTEN, SOFTMAX],
    "parameters_to_build": [
        conv(filters=60_000, kernel_size=1),
        FLATTEN,
        {"layer": "Dense", "arguments": {"units": 100}},
        SOFTMAX,
    ],
    "operations_to_build": [
        pad(250),
        conv(filters=60),
        conv(filters=60, kernel_size=5),
        FLATTEN,
        SOFTMAX,
    ],
    "mlp_too_large": [
        {"layer": "GlobalMaxPooling2D"},
        {"layer": "Dense", "arguments": {"units": 10, "activation": "softmax"}},
    ],
}


@pytest.fixture
def run_loop() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Runs a coroutine in a separate thread: a browser test may occupy this thread's event loop."""

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(asyncio.run, coroutine).result()

    return run


@pytest.fixture(scope="session")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import clearcnn

    place = tmp_path_factory.mktemp("runs") / "digits"
    clearcnn.train("digits", recipe="tutorial", epochs=2, out=place)
    return place


@pytest.fixture(scope="session")
def colours_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Colour images of floats from 0 to 1, with another number of classes than the digits."""
    import clearcnn

    folder = tmp_path_factory.mktemp("source")
    random = np.random.default_rng(0)
    y = np.arange(120) % 3
    x = random.uniform(0, 0.3, (120, 10, 12, 3))
    x[np.arange(120), :, :, y] += 0.7
    np.savez(folder / "colours.npz", x=x.astype(np.float32), y=np.array(["r", "g", "b"])[y])
    place = folder / "colours"
    clearcnn.train(folder / "colours.npz", recipe="tutorial", epochs=1, out=place)
    return place


@pytest.fixture(scope="session")
def digits() -> NDArray[np.uint8]:
    from sklearn.datasets import load_digits

    return load_digits().images[..., np.newaxis].astype(np.uint8)


@pytest.fixture
def make_client(digits_run: Path, colours_run: Path) -> Iterator[Callable[..., TestClient]]:
    """An application with both runs in this process, with the given settings."""
    opened = []

    def make(**settings: Any) -> TestClient:
        app = make_app([digits_run, colours_run], ServeSettings(**settings))
        client = TestClient(
            app, base_url=BASE, client=("127.0.0.1", 50_000), raise_server_exceptions=False
        )
        client.__enter__()
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(make_client: Callable[..., TestClient]) -> TestClient:
    return make_client()


def oracle(run: Path, images: NDArray[Any]) -> NDArray[Any]:
    """The probabilities that ONNX Runtime computes for a run, at the run's temperature."""
    session = onnxruntime.InferenceSession(run / "model.onnx")
    (chances,) = session.run(["probabilities"], {"images": images})
    fitted = json.loads((run / "bundle.json").read_text("utf-8"))["confidence"]
    temperature = fitted["temperature"] if fitted else 1.0
    logits = np.log(np.maximum(chances.astype(np.float64), np.finfo(np.float32).eps))
    return np.asarray(softmax(logits / temperature, axis=1))


@pytest.fixture(scope="session")
def ask_onnx() -> Callable[[Path, NDArray[Any]], NDArray[Any]]:
    return oracle


def as_png(pixels: NDArray[Any]) -> bytes:
    file = BytesIO()
    Image.fromarray(np.squeeze(pixels)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def png() -> Callable[[NDArray[Any]], bytes]:
    return as_png


@dataclass
class Server:
    """`clearcnn serve` in a separate process."""

    process: subprocess.Popen[str]
    url: str
    log: Path
    port: int = field(init=False)

    def __post_init__(self) -> None:
        self.port = int(self.url.rpartition(":")[2])

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def peak_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        assert found
        return 1024 * int(found[1])

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]


@contextmanager
def serving(place: Path, *words: object, **environment: str) -> Iterator[Server]:
    log = place / "serve.log"
    if "--drain-seconds" not in words:  # Only the tests of draining need to wait for it.
        words = (*words, "--drain-seconds", 0)
    with log.open("w") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "clearcnn", "serve", *map(str, words), "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={**os.environ, **environment},
        )
    assert process.stdout
    with process.stdout:
        first = process.stdout.readline()
        found = re.search(r"http://\S+:\d+", first)
        assert found, first + log.read_text()
        try:
            yield Server(process, found[0].removesuffix(";"), log)
        finally:
            process.kill()
            process.wait(60)


@pytest.fixture(scope="session")
def start() -> Callable[..., Any]:
    return serving


@pytest.fixture
def serve(tmp_path: Path) -> Callable[..., Any]:
    return lambda *words, **environment: serving(tmp_path, *words, **environment)


@pytest.fixture(scope="session", name="serving")
def give_serving() -> Callable[..., Any]:
    return serving


@pytest.fixture(scope="session")
def impossible() -> dict[str, list[dict[str, Any]]]:
    """Invalid layers for the digits, by error code."""
    return IMPOSSIBLE
