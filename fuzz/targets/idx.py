"""MNIST's IDX files, gzipped or not."""

import gzip
import struct

import numpy as np

from clearcnn.data.forms.idx import read_idx
from clearcnn.data.sources import load
from fuzz.target import Target, put

_CODES = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}


def pack(array: np.ndarray) -> bytes:
    """An array as IDX."""
    head = struct.pack(
        f">BBBB{array.ndim}I", 0, 0, _CODES[array.dtype.str[1:]], array.ndim, *array.shape
    )
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def seeds() -> list[bytes]:
    """Six images of 5×4 pixels, of every type; gzipped, too."""
    images = np.random.default_rng(0).integers(0, 128, (6, 5, 4))
    files = [pack(images.astype(code)) for code in _CODES]
    return files + [gzip.compress(file, mtime=0) for file in files]


def read(content: bytes) -> None:
    """Read the file, and as the images of a pair."""
    path = put("idx/train-images-idx3-ubyte", content)
    put("idx/train-labels-idx1-ubyte", pack(np.arange(6, dtype=np.uint8) % 2))
    array = read_idx(path)
    assert 1 <= array.ndim <= 4
    assert array.dtype.isnative
    data = load(f"idx:{path.parent}")
    assert len(data) == 6
    assert data.images.size == array.size


TARGET = Target(seeds, read)
