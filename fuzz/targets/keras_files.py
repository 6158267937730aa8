"""`model.keras`: the archive, and the weights in it."""

import numpy as np

from clearcnn.bundle import read_bundle, write_manifest
from clearcnn.workflows.runs.load_keras_model import load_keras_model
from fuzz.target import Target, put, scratch
from fuzz.targets import run_folders


def seeds() -> list[bytes]:
    """What Keras writes for a small model."""
    return [(run_folders.folder() / "model.keras").read_bytes()]


def read(content: bytes) -> None:
    """Restore the network from the archive."""
    run = run_folders.copy_manifest(scratch() / "keras")
    put("keras/model.keras", content)
    write_manifest(run, read_bundle(run, only=()).manifest)
    network = load_keras_model(read_bundle(run, only=()))
    shapes = [weight.shape for weight in network.get_weights()]
    assert shapes == [weight.shape for weight in run_folders.network().get_weights()]
    assert all(np.asarray(weight).dtype == np.float32 for weight in network.get_weights())


TARGET = Target(seeds, read)
