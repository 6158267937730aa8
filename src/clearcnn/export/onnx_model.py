"""Conversion of a network to an ONNX model from raw pixels to probabilities."""

import dataclasses
import json
from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from clearcnn.contract import InputContract
from clearcnn.errors import ExportError
from clearcnn.export.batch_normalization import fold_batch_normalization
from clearcnn.export.network import KerasModel, Network, read_network
from clearcnn.export.onnx_graph import Graph, Initializer
from clearcnn.export.onnx_layers import write_layer
from clearcnn.export.ood import (
    choose_features,
    write_distances,
    write_feature,
    write_features,
)
from clearcnn.language import say
from clearcnn.ood import DistanceWeights
from clearcnn.version import __version__

INPUT_NAME = "images"
OUTPUT_NAME = "probabilities"
DISTANCES_NAME = "distances"
FEATURES_NAME = "features"
OPSET = 17
"""The version of the operators; all current runtimes support it."""
IR_VERSION = 8

_DTYPES = ("uint8", "uint16", "float32", "float64")
_MOST_PARAMETERS = 500_000_000  # A protobuf file is smaller than 2 GiB.


def build_onnx(
    network: KerasModel,
    class_names: Sequence[str],
    contract: InputContract,
    *,
    layer_outputs: bool = False,
    distances: DistanceWeights | None = None,
) -> onnx.ModelProto:
    """Convert a Keras model to ONNX, opset 17.

    BatchNormalization is folded into the convolution before it, unless every layer is an output.

    Args:
      network: a built `keras.Sequential` of supported layers.
      class_names: in the order of its outputs.
      contract: its `shape` (height, width, channels) and `dtype` are those of the input.
      layer_outputs: add every layer's output, under the layer's name, float32, images as (batch,
        height, width, channels).
      distances: fitted on the outputs of `build_features`; adds the output "distances" (batch,
        classes), float32, the Mahalanobis distance to each class.
    Returns:
      A model with the input "images" (batch, height, width, channels), of the contract's
      dtype, and the output "probabilities" (batch, classes), float32. Its metadata: class_names
      and input_contract as JSON, clearcnn and opset. The same weights give the same bytes.
    Raises:
      ExportError: a layer cannot be written, or the model is too large for one file.
    """
    model, kept = build_graph(
        read_network(network),
        class_names,
        contract,
        layer_outputs=layer_outputs,
        distances=distances,
    )
    return _add_initializers(model, kept)


def build_features(
    network: KerasModel, class_names: Sequence[str], contract: InputContract
) -> onnx.ModelProto | None:
    """Convert a Keras model to an ONNX model of its features, in which distances are measured.

    Args:
      network, class_names, contract: as for `build_onnx`.
    Returns:
      A model with one output, "features" (batch, num_features), float32. None if no layer before
      the last one has features, or all have too many.
    Raises:
      ExportError: as `build_onnx`.
    """
    read = fold_batch_normalization(read_network(network))
    measured = choose_features(read, len(class_names))
    if not measured:
        return None
    graph, features, total = _start_graph(read, contract), [], 0
    for layer in read.layers[:-1]:
        write_layer(graph, layer)
        if layer.name in measured:
            features.append(write_feature(graph))
            total += layer.output_shape[-1]
    write_features(graph, features)
    graph.add_output(FEATURES_NAME)
    outputs = [_describe_tensor(FEATURES_NAME, (total,))]
    return _add_initializers(
        _finish_model(read, graph, outputs, class_names, contract), graph.initializers
    )


def build_graph(
    network: Network,
    class_names: Sequence[str],
    contract: InputContract,
    *,
    layer_outputs: bool = False,
    distances: DistanceWeights | None = None,
    version: str = __version__,
) -> tuple[onnx.ModelProto, list[Initializer]]:
    """Convert a network to an ONNX model and, separately, its initializers.

    Args:
      network: its weights may be placeholders.
      version: the version of clearcnn that writes the file.
      class_names, contract, layer_outputs, distances: as for `build_onnx`.
    Returns:
      A model without initializers, and the initializers in order.
    Raises:
      ExportError: as `build_onnx`.
    """
    if not layer_outputs:
        network = fold_batch_normalization(network)
    graph = _start_graph(network, contract)
    outputs = [_describe_tensor(OUTPUT_NAME, (len(class_names),))]
    measured = () if distances is None else choose_features(network, len(class_names))
    features = []
    for layer in network.layers:
        write_layer(graph, layer)
        if layer.name in measured:
            features.append(write_feature(graph))
        if layer_outputs and not (layer is network.layers[-1] and layer.name == OUTPUT_NAME):
            _add_output(graph, layer.name)
            outputs.append(_describe_tensor(layer.name, layer.output_shape))
    graph.add_output(OUTPUT_NAME)
    if distances is not None:
        write_features(graph, features)
        write_distances(graph, distances)
        graph.add_output(DISTANCES_NAME)
        outputs.append(_describe_tensor(DISTANCES_NAME, (len(distances.centres),)))
    model = _finish_model(network, graph, outputs, class_names, contract, version)
    return model, graph.initializers


def _start_graph(network: Network, contract: InputContract) -> Graph:
    dtype = contract.dtype
    if dtype not in _DTYPES:
        raise ExportError(
            say(
                "The images are {dtype}, which cannot be written to ONNX; expected one of "
                "{dtypes}.",
                dtype=dtype,
                dtypes=", ".join(_DTYPES),
            ),
            remedy=say("Train on images of one of these types."),
        )
    if network.num_parameters > _MOST_PARAMETERS:
        raise ExportError(
            say(
                "The model has {num_parameters:,} parameters; an ONNX file can have at most "
                "{most_parameters:,}.",
                num_parameters=network.num_parameters,
                most_parameters=_MOST_PARAMETERS,
            ),
            remedy=say(
                "Make the model smaller, for example by pooling before the first Dense layer."
            ),
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
        # Without what run folders of older versions do not have.
        "input_contract": json.dumps(
            {k: v for k, v in dataclasses.asdict(contract).items() if v is not None},
            ensure_ascii=False,
        ),
        "clearcnn": version,
        "opset": str(OPSET),
    }
    helper.set_model_props(model, metadata)
    return model


def _add_initializers(model: onnx.ModelProto, kept: list[Initializer]) -> onnx.ModelProto:
    for each in kept:
        array = np.ascontiguousarray(each.values)
        model.graph.initializer.append(numpy_helper.from_array(array, each.name))
    return model


def _add_output(graph: Graph, name: str) -> None:
    if name in (INPUT_NAME, OUTPUT_NAME):
        raise ExportError(
            say(
                "A layer is named {name!r}, which is the name of the ONNX model's {member}.",
                name=name,
                member=say("input") if name == INPUT_NAME else say("output"),
            ),
            remedy=say("Rename the layer."),
        )
    graph.add_output(name)


def _describe_tensor(name: str, shape: Sequence[int]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", *shape])
