"""The distance of an image to each class, as ONNX operators."""

import numpy as np

from clearcnn.export.network import Network
from clearcnn.export.onnx_graph import Graph
from clearcnn.ood import DistanceWeights

MOST_WEIGHTS = 2**18
"""The most weights of the distances, which take 1 MiB."""

_KINDS = ("Activation", "Conv2D", "Dense", "DepthwiseConv2D", "SeparableConv2D")


def choose_features(network: Network, num_classes: int) -> tuple[str, ...]:
    """Choose the layers whose outputs are features: any with weights or an activation but the last.

    A feature is the mean of a channel. Layers are chosen from the last to the first, as long as
    `MOST_WEIGHTS` allows their channels.

    Args:
      network: the network.
      num_classes: the number of distances.
    Returns:
      The names of the layers, first to last; empty if every layer has too many channels.
    """
    chosen, features = [], 0
    for layer in reversed(network.layers[:-1]):
        more = features + layer.output_shape[-1]
        if layer.kind in _KINDS and more * (more + num_classes + 1) <= MOST_WEIGHTS:
            chosen.append(layer.name)
            features = more
    return tuple(reversed(chosen))


def write_feature(graph: Graph) -> str:
    """Add operators for the mean of each channel; the current tensor stays the same.

    Returns:
      The name of the tensor of means, (batch, channels).
    """
    tensor, layout = graph.tensor, graph.layout
    if layout != "flat":
        graph.transpose("NCHW")
        graph.apply("GlobalAveragePool")
        graph.apply("Flatten")
    feature, graph.tensor, graph.layout = graph.tensor, tensor, layout
    return feature


def write_features(graph: Graph, features: list[str]) -> None:
    """Make the concatenated features, (batch, num_features), the current tensor."""
    first, *others = features
    graph.layer, graph.tensor, graph.layout = "distances", first, "flat"
    if others:
        graph.apply("Concat", *others, axis=1)


def write_distances(graph: Graph, weights: DistanceWeights) -> None:
    """Append the distance of the features to each class, (batch, num_classes).

    |z − c|² is computed as z² − 2zc + c², without a tensor of images × classes × features.
    """
    centres = weights.centres.astype(np.float64)
    graph.apply(
        "Gemm",
        graph.add_weights("whitening", weights.whitening),
        graph.add_weights("offset", weights.offset),
    )
    whitened = graph.tensor
    graph.apply("Mul", whitened)
    graph.apply("MatMul", graph.add_constant("ones", np.ones((centres.shape[1], 1))))
    squares, graph.tensor = graph.tensor, whitened
    graph.apply(
        "Gemm",
        graph.add_weights("centres", -2 * centres.T),
        graph.add_weights("norms", (centres**2).sum(axis=1)),
    )
    graph.apply("Add", squares)
    # Rounding may make it negative.
    graph.apply("Relu")
    graph.apply("Sqrt")
