"""`model.keras`: the archive, and the weights in it."""

import numpy as np

from clearcnn.bundle import Bundle, read_bundle
from clearcnn.workflows.restoring import restore_network
from fuzz.target import Target, put
from fuzz.targets import run_folders


def seeds() -> list[bytes]:
    """What Keras writes for a small model."""
    return [(run_folders.folder() / "model.keras").read_bytes()]


def read(content: bytes) -> None:
    """Restore the network from the archive."""
    manifest = read_bundle(run_folders.folder(), only=()).manifest
    path = put("keras/model.keras", content)
    network = restore_network(Bundle(path.parent, manifest))
    shapes = [weight.shape for weight in network.get_weights()]
    assert shapes == [weight.shape for weight in run_folders.network().get_weights()]
    assert all(np.asarray(weight).dtype == np.float32 for weight in network.get_weights())


TARGET = Target(seeds, read)
