"""CIFAR's binary files."""

import numpy as np

from clearcnn.data.sources import load
from fuzz.target import Target, put


def seeds() -> list[bytes]:
    """Six records, with and without one byte more."""
    rng = np.random.default_rng(0)
    records = rng.integers(0, 256, (6, 3073), np.uint8)
    records[:, 0] = np.arange(6) % 2
    return [records.tobytes(), records.tobytes() + b"\0", b""]


def read(content: bytes) -> None:
    """Read the file as a source."""
    data = load(f"cifar:{put('test_batch.bin', content)}")
    assert data.images.shape[1:] == (32, 32, 3)


TARGET = Target(seeds, read)
