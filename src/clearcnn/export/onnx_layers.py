"""Keras's layers as ONNX operators: a table from each layer's class to the function that writes it.

Arguments and weights have Keras's names.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcnn.errors import ExportError
from clearcnn.export.network import Layer
from clearcnn.export.onnx_activations import write_activation
from clearcnn.export.onnx_graph import Graph, place_padding
from clearcnn.language import say

Config = Mapping[str, Any]
Weights = Mapping[str, NDArray[np.float32]]
Writer = Callable[[Graph, Layer, Config, Weights], None]


def write_layer(graph: Graph, layer: Layer) -> None:
    """Append one layer.

    Args:
      graph: the layer is appended to it.
      layer: with channels last.
    Raises:
      ExportError: its class or its activation is not supported.
    """
    if layer.kind not in LAYER_WRITERS:
        raise ExportError(
            say(
                "The layer {name!r} is a {kind}, which cannot be written to ONNX; expected "
                "one of {layer_writers}.",
                name=layer.name,
                kind=layer.kind,
                layer_writers=", ".join(LAYER_WRITERS),
            ),
            remedy=say("Replace it with one of these."),
        )
    graph.layer = layer.name
    LAYER_WRITERS[layer.kind](graph, layer, layer.arguments, layer.weights)


def _write_activation(graph: Graph, _: Layer, config: Config, __: Weights) -> None:
    write_activation(graph, config["activation"])


def _write_average_pooling(graph: Graph, layer: Layer, config: Config, _: Weights) -> None:
    # Keras averages over the pixels of the image, without the padding.
    _write_pooling(graph, layer, config, "AveragePool", count_include_pad=0)


def _write_max_pooling(graph: Graph, layer: Layer, config: Config, _: Weights) -> None:
    _write_pooling(graph, layer, config, "MaxPool")


def _write_pooling(
    graph: Graph, layer: Layer, config: Config, operator: str, **attributes: Any
) -> None:
    size, strides = config["pool_size"], config["strides"]
    lengths = layer.input_shape[:2]
    graph.transpose("NCHW")
    graph.apply(
        operator,
        kernel_shape=size,
        strides=strides,
        pads=place_padding(lengths, size, strides, config["padding"]),
        **attributes,
    )


def _write_batch_normalization(graph: Graph, _: Layer, config: Config, weights: Weights) -> None:
    graph.transpose("NCHW")
    mean, variance = weights["moving_mean"], weights["moving_variance"]
    graph.apply(
        "BatchNormalization",
        graph.add_weights("gamma", weights.get("gamma", np.ones_like(mean))),
        graph.add_weights("beta", weights.get("beta", np.zeros_like(mean))),
        graph.add_weights("moving_mean", mean),
        graph.add_weights("moving_variance", variance),
        epsilon=config["epsilon"],
    )


def _write_convolution(graph: Graph, layer: Layer, config: Config, weights: Weights) -> None:
    kernel = weights["kernel"].transpose(3, 2, 0, 1)
    _convolve(graph, layer, config, kernel, weights.get("bias"), config.get("groups", 1))
    write_activation(graph, config["activation"])


def _write_depthwise_convolution(
    graph: Graph, layer: Layer, config: Config, weights: Weights
) -> None:
    kernel = weights["kernel"]
    _convolve(graph, layer, config, _per_channel(kernel), weights.get("bias"), kernel.shape[2])
    write_activation(graph, config["activation"])


def _write_separable_convolution(
    graph: Graph, layer: Layer, config: Config, weights: Weights
) -> None:
    kernel = weights["depthwise_kernel"]
    _convolve(graph, layer, config, _per_channel(kernel), None, kernel.shape[2])
    pointwise = weights["pointwise_kernel"].transpose(3, 2, 0, 1)
    inputs = [graph.add_weights("pointwise_kernel", pointwise)]
    if "bias" in weights:
        inputs.append(graph.add_weights("bias", weights["bias"]))
    graph.apply("Conv", *inputs, kernel_shape=(1, 1))
    write_activation(graph, config["activation"])


def _per_channel(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """(rows, columns, channels, multiplier) → (channels · multiplier, 1, rows, columns)."""
    rows, columns, channels, multiplier = kernel.shape
    return kernel.transpose(2, 3, 0, 1).reshape(channels * multiplier, 1, rows, columns)


def _convolve(
    graph: Graph,
    layer: Layer,
    config: Config,
    kernel: NDArray[np.float32],
    bias: NDArray[np.float32] | None,
    groups: int,
) -> None:
    sizes, strides, dilations = config["kernel_size"], config["strides"], config["dilation_rate"]
    extents = [(n - 1) * dilation + 1 for n, dilation in zip(sizes, dilations, strict=True)]
    lengths = layer.input_shape[:2]
    graph.transpose("NCHW")
    inputs = [graph.add_weights("kernel", kernel)]
    if bias is not None:
        inputs.append(graph.add_weights("bias", bias))
    graph.apply(
        "Conv",
        *inputs,
        kernel_shape=sizes,
        strides=strides,
        dilations=dilations,
        group=groups,
        pads=place_padding(lengths, extents, strides, config["padding"]),
    )


def _write_dense(graph: Graph, _: Layer, config: Config, weights: Weights) -> None:
    kernel = graph.add_weights("kernel", weights["kernel"])
    bias = [graph.add_weights("bias", weights["bias"])] if "bias" in weights else []
    if graph.layout == "flat":
        graph.apply("Gemm", kernel, *bias)
    else:  # Keras's Dense on an image acts on the channels of each pixel.
        graph.transpose("NHWC")
        graph.apply("MatMul", kernel)
        if bias:
            graph.apply("Add", *bias)
    write_activation(graph, config["activation"])


def _write_flatten(graph: Graph, _: Layer, __: Config, ___: Weights) -> None:
    if graph.layout != "flat":
        graph.transpose("NHWC")  # Keras flattens with channels last.
        graph.apply("Flatten", axis=1)
        graph.layout = "flat"


def _write_global_pooling(operator: str) -> Writer:
    def write(graph: Graph, _: Layer, __: Config, ___: Weights) -> None:
        graph.transpose("NCHW")
        graph.apply(operator)
        graph.apply("Flatten", axis=1)
        graph.layout = "flat"

    return write


def _write_nothing(*_: object) -> None:
    """Write no operator: Dropout acts in training only."""


def _write_rescaling(graph: Graph, _: Layer, config: Config, __: Weights) -> None:
    graph.apply("Mul", graph.add_constant("scale", config["scale"]))
    graph.apply("Add", graph.add_constant("offset", config["offset"]))


def _write_zero_padding(graph: Graph, _: Layer, config: Config, __: Weights) -> None:
    (top, bottom), (left, right) = config["padding"]
    graph.transpose("NCHW")
    pads = [0, 0, top, left, 0, 0, bottom, right]
    graph.apply("Pad", graph.add_constant("pads", pads, np.int64))


LAYER_WRITERS: Mapping[str, Writer] = {
    "Activation": _write_activation,
    "AveragePooling2D": _write_average_pooling,
    "BatchNormalization": _write_batch_normalization,
    "Conv2D": _write_convolution,
    "Dense": _write_dense,
    "DepthwiseConv2D": _write_depthwise_convolution,
    "Dropout": _write_nothing,
    "Flatten": _write_flatten,
    "GlobalAveragePooling2D": _write_global_pooling("GlobalAveragePool"),
    "GlobalMaxPooling2D": _write_global_pooling("GlobalMaxPool"),
    "MaxPooling2D": _write_max_pooling,
    "Rescaling": _write_rescaling,
    "SeparableConv2D": _write_separable_convolution,
    "ZeroPadding2D": _write_zero_padding,
}
