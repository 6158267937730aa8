"""Requests of the Open Inference Protocol, JSON and binary."""

import json
import struct

import numpy as np

from clearcnn.web.tensors import read_request, write_response
from fuzz.target import Target

_SHAPE = (2, 2, 1)


def seeds() -> list[bytes]:
    """Requests behind two bytes that say how long their JSON is; 0 says all."""
    images = np.arange(8, dtype=np.uint8)
    tensor = {"name": "images", "datatype": "UINT8", "shape": [2, *_SHAPE]}
    flat = {"id": "42", "inputs": [{**tensor, "data": images.tolist()}]}
    nested = {"inputs": [{**tensor, "data": images.reshape(2, *_SHAPE).tolist()}]}
    binary = {"inputs": [{**tensor, "parameters": {"binary_data_size": 8}}]}
    binary["outputs"] = [{"name": "probabilities", "parameters": {"binary_data": True}}]
    text = json.dumps(binary).encode()
    return [
        *(bytes(2) + json.dumps(each).encode() for each in (flat, nested)),
        struct.pack(">H", len(text)) + text + images.tobytes(),
    ]


def read(content: bytes) -> None:
    """Read the request, and answer it."""
    length = struct.unpack(">H", content[:2].rjust(2, b"\0"))[0] or None
    options = {
        "shape": _SHAPE,
        "dtype": np.dtype(np.uint8),
        "max_json_bytes": 4 * 2**20,
        "most_images": 4096,
    }
    asked = read_request(content[2:], length, **options)
    assert asked.images.shape[1:] == _SHAPE
    assert asked.images.dtype == np.uint8
    assert len(asked.images) >= 1
    answer = np.full((len(asked.images), 2), 0.5, np.float32)
    body, size = write_response(asked, "m", "1", answer)
    assert json.loads(body[:size])["outputs"][0]["shape"] == [len(asked.images), 2]


TARGET = Target(seeds, read)
