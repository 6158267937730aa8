"""Networks in run folders that take more memory or time than their files tell."""

import io
import shutil
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import onnx
from onnx import helper, numpy_helper

from clearcnn.bundle import LayerShapes, read_bundle, read_network_weights, write_manifest
from clearcnn.workflows.runs.load_onnx_model import open_model
from clearcnn.workflows.runs.read_onnx import read_onnx_file
from fuzz.target import scratch
from fuzz.worst.case import Case

_FLOAT = onnx.TensorProto.FLOAT
_LAYERS = (LayerShapes("Dense", {"kernel": (2**17 - 2, 1), "bias": (2,)}),)
_PARAMETERS = 2**17
_TENSOR = "layers/dense/vars/0"


def keras(write: Any = None, *, entries: int = 0) -> bytes:
    """A `.keras` file of weights that are written so, or of a long list of members."""
    if entries:
        entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", *[0] * 9, 1, *[0] * 6) + b"x"
        end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 65_535, 65_535, entries * len(entry), 0, 0)
        return entry * entries + end
    content = io.BytesIO()
    with h5py.File(content, "w") as file:
        write(file)
    weights = content.getvalue().ljust(4 * _PARAMETERS, b"\0")
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.writestr(name, weights if name.endswith("h5") else b"{}")
    return whole.getvalue()


def declare(file: h5py.File) -> None:
    """A terabyte of nothing."""
    file.create_dataset(_TENSOR, (2**38,), "f4", chunks=(2**10,))


def pack(file: h5py.File) -> None:
    """Half a gigabyte of zeros in as many bytes as they need."""
    file.create_dataset(_TENSOR, (2**27,), "f4", chunks=(2**22,), compression="gzip")


def follow(file: h5py.File) -> None:
    """Weights that lie on a device without an end."""
    file["layers/dense"] = h5py.ExternalLink("/dev/zero", "dense")


def read_weights(content: bytes) -> None:
    """Read the weights of a `.keras` file."""
    read_network_weights(content, _LAYERS, "model.keras")


@cache
def honest_run() -> Path:
    """A run folder as it should be, made by a process that need not fork after loading JAX."""
    place = scratch() / "honest"
    make = "import shutil, sys; from fuzz.targets.run_folders import folder; "
    make += "shutil.copytree(folder(), sys.argv[1])"
    subprocess.run([sys.executable, "-c", make, str(place)], check=True)
    return place


def run_with(name: str, content: bytes) -> Path:
    """A sealed run folder with one file of this content."""
    place = scratch() / f"run-{len(content)}"
    if not place.exists():
        shutil.copytree(honest_run(), place)
    (place / name).write_bytes(content)
    write_manifest(place, read_bundle(place, only=()).manifest)
    return place


def onnx_run(nodes: list[onnx.NodeProto], **weights: np.ndarray) -> Path:
    """A run whose model is of these nodes from "images" to "probabilities"."""
    kept = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    given = helper.make_tensor_value_info("images", _FLOAT, ["batch", 8, 8, 1])
    made = helper.make_tensor_value_info("probabilities", _FLOAT, None)
    graph = helper.make_graph(nodes, "g", [given], [made], kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return run_with("model.onnx", model.SerializeToString())


def outer_product() -> Path:
    """Weights alone make sixteen gigabytes, before any image comes."""
    side = np.ones((2**16, 1), np.float32)
    nodes = [helper.make_node("MatMul", ["a", "b"], ["probabilities"])]
    return onnx_run(nodes, a=side, b=side.T)


def long_way() -> Path:
    """An image is padded to 4,096×4,096 and goes through four thousand sigmoids."""
    pads = np.array([0, 2044, 2044, 0, 0, 2044, 2044, 0])
    names = ["p", *[f"s{k}" for k in range(4_000)], "probabilities"]
    nodes = [helper.make_node("Pad", ["images", "pads"], ["p"])]
    nodes += [helper.make_node("Sigmoid", [a], [b]) for a, b in pairwise(names)]
    return onnx_run(nodes, pads=pads)


def long_memory() -> Path:
    """A hundred tensors of 2²⁴ values in five kilobytes, all needed until the last one is there.

    Each is within every bound of one tensor. Together they are seven gigabytes.
    """
    pads = np.array([0, 2044, 2044, 0, 0, 2044, 2044, 0])
    names = [f"s{k}" for k in range(110)]
    nodes = [helper.make_node("Pad", ["images", "pads"], [names[0]])]
    nodes += [helper.make_node("Sigmoid", [a], [b]) for a, b in pairwise(names)]
    total = names[-1]
    for name in reversed(names[:-1]):
        nodes.append(helper.make_node("Add", [total, name], [f"{name}+"]))
        total = f"{name}+"
    nodes += [
        helper.make_node("GlobalMaxPool", [total], ["g"]),
        helper.make_node("Flatten", ["g"], ["probabilities"]),
    ]
    return onnx_run(nodes, pads=pads)


def many_small_nodes() -> Path:
    """Two bytes of a file become an object: as many as an honest file has room for."""
    room = (honest_run() / "model.onnx").stat().st_size
    return run_with("model.onnx", b"\x3a\x80\x80\x01" + b"\x0a\x00" * (room // 2))


def with_honest_size(change: Callable[[bytearray], None]) -> Path:
    """The honest model, changed without another size."""
    content = bytearray((honest_run() / "model.onnx").read_bytes())
    change(content)
    return run_with("model.onnx", bytes(content))


def more_filters(content: bytearray) -> None:
    """Another operator of as many letters."""
    place = content.index(b"Softmax")
    content[place : place + 7] = b"Softsgn"


def metrics(part: bytes, times: int) -> Path:
    """A run whose metrics are a list of one thing, again and again."""
    return run_with("metrics.json", b"[" + part * times + b"0]")


def read_metrics(run: Path) -> None:
    """Describe the run for the page."""
    from clearcnn.workflows.playground.page_data import describe_run

    describe_run(read_bundle(run, only=()))


def read_layers(run: Path) -> None:
    """Read the model that gives every layer's output."""
    read_onnx_file(read_bundle(run, only=()), "model_layers.onnx")


CASES = {
    "model.keras, a list of a million members": Case(
        lambda: keras(entries=1_000_000), read_weights
    ),
    "model.keras, weights of a terabyte": Case(lambda: keras(declare), read_weights),
    "model.keras, weights of 512 MB in 4 kB": Case(lambda: keras(pack), read_weights),
    "model.keras, weights on a device": Case(lambda: keras(follow), read_weights),
    "model.onnx, weights that make 16 GB": Case(outer_product, open_model),
    "model.onnx, 4,000 steps of 16 million values": Case(long_way, open_model),
    "model.onnx, 110 tensors of 64 MB at once": Case(long_memory, open_model),
    "model.onnx, nodes of two bytes": Case(many_small_nodes, open_model),
    "model.onnx, another operator in its place": Case(
        lambda: with_honest_size(more_filters), open_model
    ),
    "model_layers.onnx, garbage": Case(
        lambda: run_with("model_layers.onnx", b"\xff" * 1000), read_layers
    ),
    "metrics.json, 20 million empty objects": Case(
        lambda: metrics(b"{},", 20_000_000), read_metrics
    ),
    "metrics.json, nested a million times": Case(lambda: metrics(b"[", 1_000_000), read_metrics),
}
