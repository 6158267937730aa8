"""Networks that take more memory or time than their files tell."""

import io
import struct
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
from onnx import helper, numpy_helper

from clearcnn.bundle import check_network_file
from clearcnn.export import check_onnx
from fuzz.target import put
from fuzz.worst.case import Case

_FLOAT = onnx.TensorProto.FLOAT
_PARAMETERS = 2**17


def keras(write: Any = None, *, entries: int = 0) -> Path:
    """A `.keras` file of weights that are written so, or of a long list of members."""
    if entries:
        entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", *[0] * 9, 1, *[0] * 6) + b"x"
        end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65_535, 65_535, entries * len(entry), 0, 0)
        return put("model.keras", entry * entries + end)
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        write(file)
    weights = content.getvalue().ljust(4 * _PARAMETERS, b"\0")
    path = put("model.keras", b"")
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.writestr(name, weights if name.endswith("h5") else b"{}")
    return path


def declare(file: h5py.File) -> None:
    """A terabyte of nothing."""
    file.create_dataset("vars/0", (2**38,), "f4", chunks=(2**10,))


def pack(file: h5py.File) -> None:
    """Half a gigabyte of zeros in as many bytes as they need."""
    file.create_dataset("vars/0", (2**27,), "f4", chunks=(2**22,), compression="gzip")


def onnx_model(nodes: list[onnx.NodeProto], **weights: np.ndarray) -> Path:
    """A model of these nodes from "images" to "probabilities"."""
    kept = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    given = helper.make_tensor_value_info("images", _FLOAT, ["batch", 8, 8, 1])
    made = helper.make_tensor_value_info("probabilities", _FLOAT, None)
    graph = helper.make_graph(nodes, "g", [given], [made], kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return put("model.onnx", model.SerializeToString())


def outer_product() -> Path:
    """Weights alone make sixteen gigabytes, before any image comes."""
    side = np.ones((2**16, 1), np.float32)
    nodes = [helper.make_node("MatMul", ["a", "b"], ["probabilities"])]
    return onnx_model(nodes, a=side, b=side.T)


def long_way() -> Path:
    """An image is padded to 4,096×4,096 and goes through four thousand sigmoids."""
    pads = np.array([0, 2044, 2044, 0, 0, 2044, 2044, 0])
    names = ["p", *[f"s{k}" for k in range(4_000)], "probabilities"]
    nodes = [helper.make_node("Pad", ["images", "pads"], ["p"])]
    nodes += [helper.make_node("Sigmoid", [a], [b]) for a, b in pairwise(names)]
    return onnx_model(nodes, pads=pads)


def check(path: Path) -> None:
    """Check an ONNX file."""
    check_onnx(path, {"shape": [8, 8, 1]}, _PARAMETERS)


CASES = {
    "model.keras, a list of a million members": Case(
        lambda: keras(entries=1_000_000), lambda path: check_network_file(path, _PARAMETERS)
    ),
    "model.keras, weights of a terabyte": Case(
        lambda: keras(declare), lambda path: check_network_file(path, _PARAMETERS)
    ),
    "model.keras, weights of 512 MB in 4 kB": Case(
        lambda: keras(pack), lambda path: check_network_file(path, _PARAMETERS)
    ),
    "model.onnx, weights that make 16 GB": Case(outer_product, check),
    "model.onnx, 4,000 steps of 16 million values": Case(long_way, check),
}
