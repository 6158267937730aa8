"""Keras's activation functions as ONNX operators."""

import math
from collections.abc import Callable

from clearcnn.errors import ExportError
from clearcnn.export.onnx_graph import Graph
from clearcnn.language import say


def write_activation(graph: Graph, name: str) -> None:
    """Append an activation.

    Args:
      graph: the activation is appended to it.
      name: Keras's name, such as "relu".
    Raises:
      ExportError: the activation is not supported.
    """
    if name not in _ACTIVATIONS:
        raise ExportError(
            say(
                'The layer {layer!r} has activation="{name}", which cannot be written to '
                "ONNX; expected one of {activations}.",
                layer=graph.layer,
                name=name,
                activations=", ".join(_ACTIVATIONS),
            ),
            remedy=say("Choose one of these."),
        )
    _ACTIVATIONS[name](graph)


def _write_gelu(graph: Graph) -> None:
    """x · ½ · (1 + erf(x / √2)), the exact form. ONNX has this operator since opset 20."""
    x = graph.tensor
    graph.apply("Mul", graph.add_constant("inverse_root", math.sqrt(0.5)))
    graph.apply("Erf")
    graph.apply("Add", graph.add_constant("one", 1.0))
    graph.apply("Mul", x)
    graph.apply("Mul", graph.add_constant("half", 0.5))


def _write_mish(graph: Graph) -> None:
    """x · tanh(softplus(x)). ONNX has this operator since opset 18."""
    x = graph.tensor
    graph.apply("Softplus")
    graph.apply("Tanh")
    graph.apply("Mul", x)


def _write_relu6(graph: Graph) -> None:
    graph.apply("Clip", graph.add_constant("low", 0.0), graph.add_constant("high", 6.0))


def _write_silu(graph: Graph) -> None:
    x = graph.tensor
    graph.apply("Sigmoid")
    graph.apply("Mul", x)


_ACTIVATIONS: dict[str, Callable[[Graph], None]] = {
    "elu": lambda graph: graph.apply("Elu", alpha=1.0),
    "gelu": _write_gelu,
    "hard_sigmoid": lambda graph: graph.apply("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hard_silu": lambda graph: graph.apply("HardSwish"),
    "leaky_relu": lambda graph: graph.apply("LeakyRelu", alpha=0.2),
    "linear": lambda _: None,
    "mish": _write_mish,
    "relu": lambda graph: graph.apply("Relu"),
    "relu6": _write_relu6,
    "selu": lambda graph: graph.apply("Selu"),
    "sigmoid": lambda graph: graph.apply("Sigmoid"),
    "silu": _write_silu,
    "softmax": lambda graph: graph.apply("Softmax", axis=graph.channel_axis),
    "softplus": lambda graph: graph.apply("Softplus"),
    "softsign": lambda graph: graph.apply("Softsign"),
    "tanh": lambda graph: graph.apply("Tanh"),
}
