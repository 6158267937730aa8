"""An array within a NumPy archive whose checksums are right: its header and its values."""

import io
import zipfile

import numpy as np

from clearcnn.data.sources import load
from clearcnn.errors import DataError
from fuzz.target import Target, scratch


def seeds() -> list[bytes]:
    """Arrays that could be images or labels."""
    images = np.random.default_rng(0).integers(0, 200, (6, 5, 4))
    kinds = ("u1", "i1", ">i2", "<u2", "i8", "f2", "f4", "f8", "?", "U3", "S3", "c8", "M8[s]")
    return [_save(images.astype(kind)) for kind in kinds] + [_save(np.arange(6) % 2)]


def read(content: bytes) -> None:
    """Read it as the images of an archive, or else as the labels."""
    labels = _save(np.arange(6) % 2)
    images = _save(np.arange(6 * 20).reshape(6, 5, 4))
    try:
        assert _load(x=content, y=labels) == 6
    except DataError:
        assert _load(x=images, y=content) == 6


def _load(**arrays: bytes) -> int:
    path = scratch() / "b.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for key, content in arrays.items():
            archive.writestr(f"{key}.npy", content)
    return len(load(f"arrays:{path}"))


def _save(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


TARGET = Target(seeds, read)
