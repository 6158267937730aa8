"""From a network to an ONNX model: raw pixels in, probabilities out."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from clearcnn.contract import InputContract
from clearcnn.errors import ExportError
from clearcnn.export.network import Network, read_network
from clearcnn.export.onnx_graph import Graph, Kept
from clearcnn.export.onnx_layers import write_layer
from clearcnn.export.ood import (
    choose_features,
    write_distances,
    write_feature,
    write_features,
)
from clearcnn.ood import DistanceWeights
from clearcnn.version import __version__

INPUT_NAME = "images"
OUTPUT_NAME = "probabilities"
DISTANCES_NAME = "distances"
FEATURES_NAME = "features"
OPSET = 17
"""The operators' version; every one we write is in it, and all runtimes of today read it."""
IR_VERSION = 8

_DTYPES = ("uint8", "uint16", "float32", "float64")
_MOST_PARAMETERS = 500_000_000  # A protobuf file holds less than 2 GiB.


def build_onnx(
    network: Any,
    class_names: Sequence[str],
    contract: InputContract,
    *,
    layer_outputs: bool = False,
    distances: DistanceWeights | None = None,
) -> onnx.ModelProto:
    """Write a Keras model as ONNX, opset 17.

    Args:
      network: a built `keras.Sequential` of layers that a model file may have.
      class_names: in the order of its outputs.
      contract: its `shape` (height, width, channels) and `dtype` are those of the input.
      layer_outputs: give every layer's output too, under the layer's name, float32, images
        as (batch, height, width, channels).
      distances: fitted on what `build_features` gives; they become the output "distances"
        (batch, classes), float32, Mahalanobis's to each class.
    Returns:
      A model with the input "images" (batch, height, width, channels), of the contract's
      dtype, and the output "probabilities" (batch, classes), float32. Its metadata: class_names
      and input_contract as JSON, clearcnn and opset. The same weights give the same bytes.
    Raises:
      ExportError: a layer cannot be written, or the model is too large for one file.
    """
    model, kept = draw_onnx(
        read_network(network),
        class_names,
        contract,
        layer_outputs=layer_outputs,
        distances=distances,
    )
    return _fill(model, kept)


def build_features(
    network: Any, class_names: Sequence[str], contract: InputContract
) -> onnx.ModelProto | None:
    """Write what distances are measured in: the features that a Keras model finds.

    Args:
      network, class_names, contract: as for `build_onnx`.
    Returns:
      A model with the one output "features" (batch, num_features), float32. None if there is
      no layer before the last one to take any from, or none that is small enough.
    Raises:
      ExportError: as `build_onnx`.
    """
    read = read_network(network)
    measured = choose_features(read, len(class_names))
    if not measured:
        return None
    graph, features, total = _begin_graph(read, contract), [], 0
    for layer in read.layers[:-1]:
        write_layer(graph, layer)
        if layer.name in measured:
            features.append(write_feature(graph))
            total += layer.output_shape[-1]
    write_features(graph, features)
    graph.give(FEATURES_NAME)
    outputs = [_describe_tensor(FEATURES_NAME, (total,))]
    return _fill(_finish_model(read, graph, outputs, class_names, contract), graph.kept)


def draw_onnx(
    network: Network,
    class_names: Sequence[str],
    contract: InputContract,
    *,
    layer_outputs: bool = False,
    distances: DistanceWeights | None = None,
    version: str = __version__,
) -> tuple[onnx.ModelProto, list[Kept]]:
    """Write a network as ONNX, but for what its operators keep.

    Args:
      network: its weights may be placeholders.
      version: of the clearcnn that writes the file.
      class_names, contract, layer_outputs, distances: as for `build_onnx`.
    Returns:
      A model without initializers; and these, in their order.
    Raises:
      ExportError: as `build_onnx`.
    """
    graph = _begin_graph(network, contract)
    outputs = [_describe_tensor(OUTPUT_NAME, (len(class_names),))]
    measured = () if distances is None else choose_features(network, len(class_names))
    features = []
    for layer in network.layers:
        write_layer(graph, layer)
        if layer.name in measured:
            features.append(write_feature(graph))
        if layer_outputs and not (layer is network.layers[-1] and layer.name == OUTPUT_NAME):
            _give_output(graph, layer.name)
            outputs.append(_describe_tensor(layer.name, layer.output_shape))
    graph.give(OUTPUT_NAME)
    if distances is not None:
        write_features(graph, features)
        write_distances(graph, distances)
        graph.give(DISTANCES_NAME)
        outputs.append(_describe_tensor(DISTANCES_NAME, (len(distances.centres),)))
    model = _finish_model(network, graph, outputs, class_names, contract, version)
    return model, graph.kept


def _begin_graph(network: Network, contract: InputContract) -> Graph:
    dtype = contract.dtype
    if dtype not in _DTYPES:
        raise ExportError(
            f"The images are {dtype}, which is not written to ONNX: one of {', '.join(_DTYPES)} "
            "was expected.",
            remedy="Train on images of one of these kinds.",
        )
    if network.num_parameters > _MOST_PARAMETERS:
        raise ExportError(
            f"The model has {network.num_parameters:,} parameters; one ONNX file holds at most "
            f"{_MOST_PARAMETERS:,}.",
            remedy="Make the model smaller: pool more before the first Dense layer.",
        )
    graph = Graph(INPUT_NAME)
    if dtype != "float32":
        graph.apply("Cast", to=onnx.TensorProto.FLOAT)
    return graph


def _finish_model(
    network: Network,
    graph: Graph,
    outputs: list[onnx.ValueInfoProto],
    class_names: Sequence[str],
    contract: InputContract,
    version: str = __version__,
) -> onnx.ModelProto:
    element = helper.np_dtype_to_tensor_dtype(np.dtype(contract.dtype))
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            network.name,
            [helper.make_tensor_value_info(INPUT_NAME, element, ["batch", *contract.shape])],
            outputs,
        ),
        producer_name="clearcnn",
        producer_version=version,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    metadata = {
        "class_names": json.dumps(list(class_names), ensure_ascii=False),
        "input_contract": json.dumps(dataclasses.asdict(contract), ensure_ascii=False),
        "clearcnn": version,
        "opset": str(OPSET),
    }
    helper.set_model_props(model, metadata)
    return model


def _fill(model: onnx.ModelProto, kept: list[Kept]) -> onnx.ModelProto:
    for each in kept:
        array = np.ascontiguousarray(each.values)
        model.graph.initializer.append(numpy_helper.from_array(array, each.name))
    return model


def _give_output(graph: Graph, name: str) -> None:
    if name in (INPUT_NAME, OUTPUT_NAME):
        raise ExportError(
            f"A layer has the name {name!r}, which the ONNX file needs for its own "
            f"{'input' if name == INPUT_NAME else 'output'}.",
            remedy="Give the layer another name.",
        )
    graph.give(name)


def _describe_tensor(name: str, shape: Sequence[int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", *shape])
