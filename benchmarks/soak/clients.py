"""Clients of a server, each of one kind: they send one request and return its outcome."""

import io
import itertools
import json
import random
import socket
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import numpy as np
from PIL import Image

MODEL = "model"
INFER = f"/v2/models/{MODEL}/infer"
SHAPE = (8, 8, 1)
LAYERS = [
    {"layer": "Conv2D", "arguments": {"filters": 4, "kernel_size": 3, "activation": "relu"}},
    {"layer": "Flatten"},
    {"layer": "Dense", "arguments": {"units": 10, "activation": "softmax"}},
]

Client = Callable[[httpx.Client, random.Random], str]


def _images(chance: random.Random, count: int) -> np.ndarray:
    return np.random.default_rng(chance.getrandbits(32)).integers(0, 17, (count, *SHAPE), np.uint8)


def _picture(chance: random.Random) -> bytes:
    size = chance.randint(8, 64)
    pixels = np.random.default_rng(chance.getrandbits(32)).integers(0, 256, (size, size), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def ask_in_json(client: httpx.Client, chance: random.Random) -> str:
    """The Open Inference Protocol, numbers in JSON."""
    images = _images(chance, chance.randint(1, 64))
    tensor = {
        "name": "images",
        "datatype": "UINT8",
        "shape": list(images.shape),
        "data": images.ravel().tolist(),
    }
    return str(client.post(INFER, json={"inputs": [tensor]}).status_code)


def ask_in_bytes(client: httpx.Client, chance: random.Random) -> str:
    """The same, as bytes in both directions."""
    images = _images(chance, chance.randint(1, 2000))
    tensor = {
        "name": "images",
        "datatype": "UINT8",
        "shape": list(images.shape),
        "parameters": {"binary_data_size": images.size},
    }
    text = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    headers = {"Inference-Header-Content-Length": str(len(text))}
    answer = client.post(INFER, content=text + images.tobytes(), headers=headers)
    return str(answer.status_code)


def send_forms(client: httpx.Client, chance: random.Random) -> str:
    """Several images in a form, on a new connection."""
    files = [("files", (f"{k}.png", _picture(chance))) for k in range(chance.randint(1, 8))]
    return str(httpx.post(f"{client.base_url}/predict", files=files, timeout=30).status_code)


def send_nonsense(client: httpx.Client, chance: random.Random) -> str:
    """Requests that are rejected, of several kinds."""
    path, options = chance.choice(
        [
            ("/predict", {"content": b"no picture", "headers": {"Content-Type": "image/png"}}),
            (
                "/predict",
                {"content": _picture(chance)[:-9], "headers": {"Content-Type": "image/png"}},
            ),
            ("/predict", {"content": b"x", "headers": {"Origin": "https://evil.example"}}),
            (INFER, {"content": b"[" * 100_000}),
            (INFER, {"content": b"\x00" * 5_000_000}),
            ("/nothing", {"content": b""}),
            ("/v2", {"headers": {"Host": "evil.example"}}),
        ]
    )
    return str(client.post(path, **options).status_code)


def be_slow(client: httpx.Client, chance: random.Random) -> str:
    """A body sent slowly, and abandoned half of the time."""
    place = urlsplit(str(client.base_url))
    picture = _picture(chance)
    with socket.create_connection((place.hostname, place.port), timeout=30) as made:
        top = "POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/png\r\n"
        made.sendall(f"{top}Content-Length: {len(picture)}\r\n\r\n".encode())
        steps = [len(picture) * k // 10 for k in range(11)]
        for start, end in itertools.pairwise(steps):
            made.sendall(picture[start:end])
            time.sleep(0.1)
            if chance.random() < 0.05:
                return "gone"
        return made.recv(65536).split()[1].decode()


def read_nothing(client: httpx.Client, chance: random.Random) -> str:
    """A large response is requested and not read."""
    place = urlsplit(str(client.base_url))
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.connect((place.hostname, place.port))
        path = "/static/vendor/ort-wasm-simd-threaded.wasm"
        made.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        time.sleep(chance.uniform(0, 3))
    return "gone"


def look_at_the_page(client: httpx.Client, chance: random.Random) -> str:
    """The model data that the page loads, and the metrics for Prometheus."""
    path = chance.choice(["", "/weights", "/images", "/layers.onnx"])
    statuses = {
        client.get(address).status_code
        for address in ("/", "/metrics", f"/page/models/{MODEL}{path}")
    }
    return "200" if statuses == {200} else str(max(statuses))


def train_in_the_playground(client: httpx.Client, chance: random.Random) -> str:
    """A training, cancelled half of the time; its events are read to the end."""
    job = {"run": MODEL, "layers": LAYERS, "epochs": chance.randint(1, 20)}
    answer = client.post("/page/playground/attempts", json=job)
    if answer.status_code != 202:
        return str(answer.status_code)
    address = f"/page/playground/attempts/{answer.json()['number']}"
    is_cancelled, last = chance.random() < 0.5, {}
    with client.stream("GET", f"{address}/events", timeout=120) as events:
        for line in events.iter_lines():
            if line.startswith("data: "):
                last = json.loads(line.removeprefix("data: "))
                if is_cancelled:
                    client.delete(address)
    if last["event"] == "end":
        client.get(f"{address}/weights").raise_for_status()
    if last["event"] != "error":
        return str(last["event"])
    # What the attempt was to be trained on is replaced every few seconds.
    return "replaced" if last["code"] == "run_replaced" else f"Error: {last['problem']}"


# For each kind: the number of clients, and the pause after a request.
KINDS: dict[str, tuple[Client, int, float]] = {
    "JSON": (ask_in_json, 2, 0.05),
    "bytes": (ask_in_bytes, 2, 0.05),
    "forms": (send_forms, 2, 0.05),
    "nonsense": (send_nonsense, 1, 0.05),
    "slow": (be_slow, 8, 0.0),
    "reads nothing": (read_nothing, 4, 0.0),
    "page": (look_at_the_page, 1, 0.3),
    "playground": (train_in_the_playground, 1, 1.0),
}
