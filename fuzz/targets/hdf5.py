"""HDF5 files with images and labels."""

import io

import h5py
import numpy as np

from clearcnn.data.sources import load
from fuzz.target import Target, put


def seeds() -> list[bytes]:
    """Files with datasets at the top and in groups, in one piece and in packed chunks."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (6, 5, 4, 3), np.uint8)
    numbers = np.arange(6) % 2
    contents = [
        {"x": images, "y": numbers},
        {"train/data": images[..., 0] / 255, "train/target": numbers},
        {"train_set_x": images, "train_set_y": numbers, "list_classes": np.array([b"a", b"b"])},
    ]
    packed = {"compression": "gzip", "shuffle": True, "fletcher32": True}
    return [_save(arrays, options) for arrays in contents for options in ({}, packed)]


def read(content: bytes) -> None:
    """Read the file as a source."""
    data = load(f"arrays:{put('a.h5', content)}")
    assert len(data) >= 4


def _save(arrays: dict[str, np.ndarray], options: dict[str, object]) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(
                name, data=array, chunks=array.shape if options else None, **options
            )
    return buffer.getvalue()


TARGET = Target(seeds, read)
