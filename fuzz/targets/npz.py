"""NumPy archives."""

import io

import numpy as np

from clearcnn.data.sources import load
from fuzz.target import Target, put


def seeds() -> list[bytes]:
    """Archives of every set of keys, stored and deflated."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 5, 4), np.uint8)
    names = np.array(["cat", "dog"] * 3)
    numbers = np.arange(6) % 2
    contents = [
        {"x": images, "y": names, "groups": numbers},
        {"x": images / 255, "y": numbers[:, np.newaxis]},
        {"x_train": images, "y_train": numbers, "x_test": images, "y_test": numbers},
        {"x": images > 100, "y": names.astype(bytes), "other": numbers},
    ]
    return [_save(save, arrays) for arrays in contents for save in (np.savez, np.savez_compressed)]


def read(content: bytes) -> None:
    """Read the archive as a source."""
    data = load(f"arrays:{put('a.npz', content)}")
    assert len(data) >= 4


def _save(save: object, arrays: dict[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


TARGET = Target(seeds, read)
