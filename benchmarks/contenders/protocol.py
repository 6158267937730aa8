"""The interface of the contenders: their options, and the result that they report at the end.

Needs NumPy only, and runs in every environment.
"""

import argparse
import importlib.metadata
import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

BEGAN = time.perf_counter()

_PACKAGES = ("clearcnn", "keras", "jax", "tensorflow-cpu", "tensorflow", "torch", "numpy")
_NUM_CLASSES = 10
_STEPS_TO_TRY = 20


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """Options that every contender on a workload has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--workload", required=True, help="JSON, as Workload.to_json returns it")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument(
        "--cold", action="store_true", help="measure the first fit, without a warm-up"
    )
    return parser


def read_workload(text: str) -> SimpleNamespace:
    """The workload's fields, and its arrays: x scaled to float32, y as integers."""
    workload = SimpleNamespace(**json.loads(text))
    with np.load(workload.data) as stored:
        parts: dict[str, Any] = {"train": None, "validation": None, "test": None}
        for part in parts:
            if f"x_{part}" in stored:
                pixels = stored[f"x_{part}"].astype(np.float32)
                pixels *= np.float32(workload.scale)
                parts[part] = pixels, stored[f"y_{part}"]
    workload.parts = parts
    workload.shape = parts["train"][0].shape[1:]
    workload.num_classes = _NUM_CLASSES
    return workload


def take_first(workload: SimpleNamespace) -> Any:
    """Samples for a warm-up: 20 whole batches and a last one as small as the real one."""
    x, y = workload.parts["train"]
    count = min(len(x), _STEPS_TO_TRY * workload.batch_size + len(x) % workload.batch_size)
    return x[:count], y[:count]


def count_steps(workload: SimpleNamespace) -> int:
    """Steps of an epoch."""
    return int(-(-len(workload.parts["train"][0]) // workload.batch_size))


def to_one_hot(labels: Any) -> Any:
    """Integer labels (n,) → float32 (n, 10)."""
    return np.eye(_NUM_CLASSES, dtype=np.float32)[labels]


def peak_memory_bytes() -> int:
    """The peak main memory of this process so far."""
    status = Path("/proc/self/status")
    if status.is_file():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    # Bytes on a Mac, KiB elsewhere.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def find_versions() -> dict[str, str]:
    """Package → version, of the packages of interest that are installed."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def report(**result: Any) -> None:
    """Print the result as the last line of standard output."""
    print(json.dumps({**result, "versions": find_versions()}))


def report_fit(workload: SimpleNamespace, *, seconds: float, **result: Any) -> None:
    """Report a fit of a workload, with its rate."""
    samples = len(workload.parts["train"][0])
    report(
        seconds=seconds,
        samples=samples,
        epochs=workload.epochs,
        source=workload.source,
        samples_per_second=samples * workload.epochs / seconds,
        **result,
    )
