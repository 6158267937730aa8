"""Hostile and damaged ONNX files, refused before they are executed."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from clearcnn.distances import DistanceWeights
from clearcnn.errors import ExportError
from clearcnn.export import build_features, build_onnx, check_onnx
from clearcnn.export.inspection import OPERATORS
from clearcnn.models.arguments import ACTIVATIONS
from clearcnn.specs import LayerSpec

CLASSES = ("a", "b", "c")
LAYERS = (
    LayerSpec("ZeroPadding2D", {"padding": 1}),
    LayerSpec("Conv2D", {"filters": 2, "kernel_size": 3}),
    LayerSpec("GlobalMaxPooling2D"),
    LayerSpec("Dense", {"units": 3, "activation": "softmax"}),
)


def add_operator(model: onnx.ModelProto) -> None:
    model.graph.node[1].op_type = "Loop"


def add_domain(model: onnx.ModelProto) -> None:
    model.graph.node[1].domain = "com.microsoft"


def keep_elsewhere(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[1]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")


def pad_by_a_million(model: onnx.ModelProto) -> None:
    pads = np.array([0, 0, 0, 0, 0, 0, 10**6, 10**6])
    model.graph.initializer[0].CopyFrom(
        numpy_helper.from_array(pads, model.graph.initializer[0].name)
    )


def take_pads_from_outside(model: onnx.ModelProto) -> None:
    del model.graph.initializer[0]


def pad_the_batch(model: onnx.ModelProto) -> None:
    pads = np.array([2**24, 0, 0, 0, 0, 0, 0, 0])
    model.graph.initializer[0].CopyFrom(
        numpy_helper.from_array(pads, model.graph.initializer[0].name)
    )


def pad_the_batch_and_deny_it(model: onnx.ModelProto) -> None:
    honest = onnx.shape_inference.infer_shapes(model, data_prop=True).graph.value_info
    pad_the_batch(model)
    model.graph.value_info.extend(honest)


def take_no_batch(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def take_another_shape(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 10**6


def grow(model: onnx.ModelProto) -> None:
    model.doc_string = "x" * 2**21


def add_function(model: onnx.ModelProto) -> None:
    model.functions.append(
        helper.make_function("mine", "F", ["x"], ["y"], [], [helper.make_opsetid("", 17)])
    )


FAULTS: dict[Callable[[onnx.ModelProto], None], str] = {
    add_operator: "operators Loop",
    add_domain: "operators Transpose",
    keep_elsewhere: "weights in other files",
    pad_by_a_million: "its tensor .* has the shape",
    take_pads_from_outside: "its shapes cannot be|its tensor",
    pad_the_batch: "has another batch",
    pad_the_batch_and_deny_it: "has another batch",
    take_no_batch: "no batch of any size",
    take_another_shape: "its inputs are",
    grow: "is larger than",
    add_function: "it has functions",
}


@pytest.mark.parametrize("spoil", FAULTS, ids=lambda fault: fault.__name__)
def test_what_clearcnn_never_writes_is_refused(
    spoil: Any, network_of: Any, contract_of: Any, tmp_path: Path
) -> None:
    network, path = network_of(*LAYERS), tmp_path / "model.onnx"
    model = build_onnx(network, CLASSES, contract_of())
    path.write_bytes(model.SerializeToString())
    check_onnx(path, contract_of(), network.count_params())
    spoil(model)
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ExportError, match=FAULTS[spoil]):
        check_onnx(path, contract_of(), network.count_params())


def test_bytes_that_are_no_model_are_refused(contract_of: Any, tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"\xff" * 100)
    with pytest.raises(ExportError, match="no ONNX file"):
        check_onnx(tmp_path / "model.onnx", contract_of(), 10)


def test_every_operator_that_is_written_passes(
    network_of: Any, contract_of: Any, tmp_path: Path
) -> None:
    """And no other one is on the list."""
    window = {"padding": "same", "strides": 2}
    layers = [
        LayerSpec("Rescaling", {"scale": 0.1, "offset": 1.0}),
        LayerSpec("Dense", {"units": 2}),
        *(LayerSpec("Activation", {"activation": name}) for name in ACTIVATIONS),
        LayerSpec("ZeroPadding2D"),
        LayerSpec("DepthwiseConv2D", {"kernel_size": 2}),
        LayerSpec("SeparableConv2D", {"filters": 2, "kernel_size": 2}),
        LayerSpec("BatchNormalization"),
        LayerSpec("MaxPooling2D", {"pool_size": 2, **window}),
        LayerSpec("AveragePooling2D", {"pool_size": 2, **window}),
        LayerSpec("Dropout", {"rate": 0.5}),
    ]
    dense = LayerSpec("Dense", {"units": 3, "activation": "softmax"})
    written = set()
    for ending in ("Flatten", "GlobalAveragePooling2D", "GlobalMaxPooling2D"):
        network = network_of(*layers, LayerSpec(ending), dense)
        features = build_features(network, CLASSES, contract_of())
        size = features.graph.output[0].type.tensor_type.shape.dim[1].dim_value
        weights = DistanceWeights(np.eye(size), np.zeros(size), np.ones((3, size)))
        for extra in ({}, {"layer_outputs": True}, {"distances": weights}):
            model = build_onnx(network, CLASSES, contract_of(), **extra)
            written |= {node.op_type for node in model.graph.node}
            (tmp_path / "model.onnx").write_bytes(model.SerializeToString())
            check_onnx(tmp_path / "model.onnx", contract_of(), network.count_params())
    assert written == OPERATORS


def _of_nodes(path: Path, nodes: list[onnx.NodeProto], **weights: np.ndarray) -> Path:
    given = helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, ["batch", 8, 8, 1])
    made = helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, None)
    kept = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "g", [given], [made], kept)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def test_what_weights_alone_would_make_is_counted(tmp_path: Path) -> None:
    side = np.ones((2**16, 1), np.float32)
    product = helper.make_node("MatMul", ["a", "b"], ["probabilities"])
    path = _of_nodes(tmp_path / "m.onnx", [product], a=side, b=side.T)
    with pytest.raises(ExportError, match=r"'probabilities' has the shape \(65536, 65536\)"):
        check_onnx(path, {"shape": [8, 8, 1]}, 2**17)


def test_a_long_way_for_one_image_is_refused(tmp_path: Path) -> None:
    names = ["p", *[f"s{k}" for k in range(300)], "probabilities"]
    nodes = [helper.make_node("Pad", ["images", "pads"], ["p"])]
    nodes += [helper.make_node("Sigmoid", [a], [b]) for a, b in pairwise(names)]
    pads = np.array([0, 2044, 2044, 0, 0, 2044, 2044, 0])
    path = _of_nodes(tmp_path / "m.onnx", nodes, pads=pads)
    with pytest.raises(ExportError, match=r"it needs 86,\d+,\d+,\d+ operations for one image"):
        check_onnx(path, {"shape": [8, 8, 1]}, 10)
    many = [helper.make_node("Relu", ["images"], [f"r{k}"]) for k in range(5_000)]
    with pytest.raises(ExportError, match="it has 5,000 operators"):
        check_onnx(_of_nodes(tmp_path / "n.onnx", many), {"shape": [8, 8, 1]}, 10)


def test_an_operator_that_is_no_unicode_is_named(tmp_path: Path) -> None:
    path = _of_nodes(tmp_path / "m.onnx", [helper.make_node("Relu", ["images"], ["p"])])
    path.write_bytes(path.read_bytes().replace(b"Relu", b"R\xfflu"))
    with pytest.raises(ExportError, match="is not as clearcnn writes it"):
        check_onnx(path, {"shape": [8, 8, 1]}, 10)
