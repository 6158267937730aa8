"""`checkpoint.npz` with a checksum that fits: its JSON and its arrays."""

import hashlib

import numpy as np

from clearcnn.checkpoints import Checkpoint, decode_checkpoint, encode_checkpoint
from fuzz.target import Target

_HASH_BYTES = 64


def seeds() -> list[bytes]:
    """A checkpoint of a few facts and arrays."""
    facts = {"epoch": 2, "history": [["loss", {"list": [0.5, 0.25]}], {}], "stopped": False}
    arrays = {"trainable/0": np.ones((3, 2), np.float32), "seed": np.uint32([1, 2])}
    return [encode_checkpoint(Checkpoint(facts, arrays))]


def read(content: bytes) -> None:
    """Seal it anew, and read it."""
    body = content[:-_HASH_BYTES]
    found = decode_checkpoint(body + hashlib.sha256(body).hexdigest().encode(), "checkpoint.npz")
    assert isinstance(found.epoch, int)
    assert sum(array.nbytes for array in found.arrays.values()) <= len(content)


TARGET = Target(seeds, read)
