"""How far an image is from each class, as ONNX operators beside a network's own."""

import numpy as np

from clearcnn.export.network import Network
from clearcnn.export.onnx_graph import Graph
from clearcnn.ood import DistanceWeights

MOST_WEIGHTS = 2**18
"""Of the distances, so that they take at most 1 MiB."""

_KINDS = ("Activation", "Conv2D", "Dense", "DepthwiseConv2D", "SeparableConv2D")


def choose_features(network: Network, num_classes: int) -> tuple[str, ...]:
    """Choose the layers whose outputs are features: those that compute, but for the last one.

    Of an image, each channel's mean counts. The layers nearest to the answer come first, and
    all others whose channels still find room in `MOST_WEIGHTS`.

    Args:
      network: whose features are asked for.
      num_classes: centres to measure distances from.
    Returns:
      The names of the layers, first to last; none if there is no room.
    """
    chosen, features = [], 0
    for layer in reversed(network.layers[:-1]):
        more = features + layer.output_shape[-1]
        if layer.kind in _KINDS and more * (more + num_classes + 1) <= MOST_WEIGHTS:
            chosen.append(layer.name)
            features = more
    return tuple(reversed(chosen))


def write_feature(graph: Graph) -> str:
    """Write each channel's mean beside the chain, which stays where it is.

    Returns:
      The name of its tensor, (batch, channels).
    """
    tensor, layout = graph.tensor, graph.layout
    if layout != "flat":
        graph.turn("NCHW")
        graph.apply("GlobalAveragePool")
        graph.apply("Flatten")
    feature, graph.tensor, graph.layout = graph.tensor, tensor, layout
    return feature


def write_features(graph: Graph, features: list[str]) -> None:
    """Let the chain go on from all features side by side, (batch, num_features)."""
    first, *others = features
    graph.layer, graph.tensor, graph.layout = "distances", first, "flat"
    if others:
        graph.apply("Concat", *others, axis=1)


def write_distances(graph: Graph, weights: DistanceWeights) -> None:
    """Append the distance of the chain's features to each class, (batch, num_classes).

    |z − c|² is written as z² − 2zc + c², which needs no tensor of images × classes × features.
    """
    centres = weights.centres.astype(np.float64)
    graph.apply(
        "Gemm",
        graph.keep_weights("whitening", weights.whitening),
        graph.keep_weights("offset", weights.offset),
    )
    whitened = graph.tensor
    graph.apply("Mul", whitened)
    graph.apply("MatMul", graph.keep("ones", np.ones((centres.shape[1], 1))))
    squares, graph.tensor = graph.tensor, whitened
    graph.apply(
        "Gemm",
        graph.keep_weights("centres", -2 * centres.T),
        graph.keep_weights("norms", (centres**2).sum(axis=1)),
    )
    graph.apply("Add", squares)
    # Rounding may leave less than nothing.
    graph.apply("Relu")
    graph.apply("Sqrt")
