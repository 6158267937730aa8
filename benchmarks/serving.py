"""How many requests a second does `clearcnn serve` answer, and how slow is one in a hundred?

    python -m benchmarks.serving runs/digits
    python -m benchmarks.serving runs/digits --peer http://127.0.0.1:9000/v2/models/digits/infer

Each of 64 clients keeps a connection and sends one image repeatedly for 30 seconds, as JSON of the
Open Inference Protocol. This is compared with a loop around ONNX Runtime, without HTTP, and
with any other server of the protocol, started by hand with the run's model.onnx. Clients and server
share the machine's cores.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import onnxruntime


@dataclass(frozen=True)
class Load:
    """The outcome of a load.

    Attributes:
      seconds: duration.
      milliseconds: of each request, ascending.
      statuses: of HTTP, and how many answers had them.
    """

    seconds: float
    milliseconds: tuple[float, ...]
    statuses: dict[str, int]

    def __str__(self) -> str:
        count = len(self.milliseconds)
        median, slow = (self.milliseconds[int(part * count)] for part in (0.5, 0.99))
        answers = ", ".join(f"{number:,} × {status}" for status, number in self.statuses.items())
        return (
            f"{count / self.seconds:,.0f} requests/s · median {median:.1f} ms · 99 % within "
            f"{slow:.1f} ms · {answers}"
        )


def put_load(url: str, body: bytes, clients: int, seconds: float) -> Load:
    """Let clients send a body repeatedly, each as soon as it has the response.

    Args:
      url: to POST to.
      body: JSON.
      clients: number of concurrent clients.
      seconds: duration.
    """
    place = urlsplit(url)
    top = (
        f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    request = top.encode() + body
    took: list[float] = []
    statuses: Counter[str] = Counter()

    async def ask_again_and_again(until: float) -> None:
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        while time.perf_counter() < until:
            begin = time.perf_counter()
            writer.write(request)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = re.search(r"content-length: *(\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            took.append(1000 * (time.perf_counter() - begin))
            statuses[head.split()[1]] += 1
        writer.close()
        await writer.wait_closed()

    async def play() -> float:
        begin = time.perf_counter()
        await asyncio.gather(*(ask_again_and_again(begin + seconds) for _ in range(clients)))
        return time.perf_counter() - begin

    lasted = asyncio.run(play())
    return Load(lasted, tuple(sorted(took)), dict(statuses))


def run_bare(model: Path, images: Any, seconds: float) -> float:
    """Images a second through ONNX Runtime on one core, without HTTP."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options)
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        session.run(["probabilities"], {"images": images})
        count += len(images)
    return count / (time.perf_counter() - begin)


@contextmanager
def serve(run: Path) -> Iterator[str]:
    """Start `clearcnn serve` on a free port, and return its address."""
    options = ("--port", "0", "--drain-seconds", "0")
    command = [sys.executable, "-m", "clearcnn", "serve", str(run), *options]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        found = re.search(r"http://[\w.:]+\d", process.stdout.readline())
        try:
            assert found, "The server did not start."
            yield found[0]
        finally:
            process.terminate()


def main() -> None:
    """Measure, and print a line for each contender."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--peer", help="the infer endpoint of another server")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=30)
    arguments = parser.parse_args()
    contract = json.loads((arguments.run / "bundle.json").read_text(encoding="utf-8"))["input"]
    images = np.zeros((1, *contract["shape"]), contract["dtype"])
    kinds = {"uint8": "UINT8", "uint16": "UINT16", "float32": "FP32", "float64": "FP64"}
    tensor = {
        "name": "images",
        "datatype": kinds[contract["dtype"]],
        "shape": list(images.shape),
        "data": images.ravel().tolist(),
    }
    body = json.dumps({"id": "1", "inputs": [tensor]}).encode()
    load = (body, arguments.clients, arguments.seconds)
    for batch in (1, 32):
        speed = run_bare(arguments.run / "model.onnx", np.repeat(images, batch, axis=0), 2)
        print(f"ONNX Runtime alone, batches of {batch}: {speed:,.0f} images/s")
    with serve(arguments.run) as address:
        url = f"{address}/v2/models/{arguments.run.absolute().name}/infer"
        print(f"clearcnn serve: {put_load(url, *load)}")
    if arguments.peer:
        print(f"{arguments.peer}: {put_load(arguments.peer, *load)}")


if __name__ == "__main__":
    main()
