"""`metrics.json`, as the page and `--resume` read it."""

from clearcnn.bundle import read_bundle, write_manifest
from clearcnn.workflows.exhibit import describe_run
from fuzz.target import Target, put, scratch
from fuzz.targets import run_folders


def seeds() -> list[bytes]:
    """The few values that are shown."""
    score = b'{"accuracy": 0.5, "correct": 1, "total": 2}'
    history = b'{"metrics": {"loss": [0.5, 0.25], "val_loss": [null, 0.3]}}'
    return [b'{"history": ' + history + b', "test": {"score": ' + score + b"}}"]


def read(content: bytes) -> None:
    """Describe the run."""
    run = run_folders.copy_manifest(scratch() / "metrics")
    put("metrics/metrics.json", content)
    write_manifest(run, read_bundle(run, only=()).manifest)
    described = describe_run(read_bundle(run, only=()))
    assert described["class_names"] == ["cat", "dog"]
    assert isinstance(described["epochs"], int)


TARGET = Target(seeds, read)
