"""`metrics.json`, as the page and `--resume` read it."""

import json

from clearcnn.bundle import read_bundle, write_manifest
from clearcnn.workflows.playground.page_data import describe_run
from fuzz.target import Target, put, scratch
from fuzz.targets import run_folders


def seeds() -> list[bytes]:
    """The few values that are read."""
    interval = {"low": 0.1, "high": 0.9, "confidence": 0.95, "method": "wilson"}
    values = {
        "recipe": "default",
        "history": {"metrics": {"loss": [0.5, 0.25], "val_loss": [None, 0.3]}, "best_epoch": 1},
        "test": {"score": {"accuracy": 0.5, "correct": 1, "total": 2, "interval": interval}},
        "seconds": {"fit": 1.5},
        "interrupted": False,
        "divergence": {"epoch": 2, "sentence": "The loss is NaN.", "causes": ["None is known."]},
    }
    return [json.dumps(values).encode()]


def read(content: bytes) -> None:
    """Describe the run."""
    run = run_folders.copy_manifest(scratch() / "metrics")
    put("metrics/metrics.json", content)
    write_manifest(run, read_bundle(run, only=()).manifest)
    described = describe_run(read_bundle(run, only=()))
    assert described["class_names"] == ["cat", "dog"]
    assert described["epochs"] >= 0
    assert 0 <= described["test"]["accuracy"] <= 1
    json.dumps(described, allow_nan=False)


TARGET = Target(seeds, read)
