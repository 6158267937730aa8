"""A network as this room writes it: its layers by Keras's names, with shapes and weights."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcnn.errors import ExportError

Shape = tuple[int, ...]

# Arguments that Keras has but a model file has not, and that would change what is computed.
_EXPECTED = {"axis": -1, "data_format": "channels_last", "keepdims": False, "renorm": False}


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer.

    Attributes:
      kind: Keras's class name.
      name: its own, different from all others and without "/".
      arguments: by Keras's names.
      input_shape, output_shape: of one image, without the batch.
      weights: float32, by Keras's names.
    """

    kind: str
    name: str
    arguments: Mapping[str, Any]
    input_shape: Shape
    output_shape: Shape
    weights: Mapping[str, NDArray[np.float32]]

    @property
    def most_values(self) -> int:
        """Of the largest tensor that it takes, makes or gives for one image."""
        sizes = [math.prod(self.input_shape), math.prod(self.output_shape)]
        if self.kind == "SeparableConv2D":
            channels = self.weights["pointwise_kernel"].shape[2]
            sizes.append(math.prod(self.output_shape[:2]) * channels)
        return max(sizes)


@dataclass(frozen=True, eq=False)
class Network:
    """A chain of layers."""

    name: str
    layers: tuple[Layer, ...]

    @property
    def num_parameters(self) -> int:
        """Values of all weights."""
        return sum(values.size for layer in self.layers for values in layer.weights.values())

    @property
    def most_values(self) -> int:
        """Of its largest tensor for one image."""
        return max(layer.most_values for layer in self.layers)


def make_placeholder(shape: Shape) -> NDArray[np.float32]:
    """Make zeros of any shape that take no memory, in place of weights that are not known."""
    return np.broadcast_to(np.float32(0), shape)


def read_network(model: Any) -> Network:
    """Read a built `keras.Sequential` with channels last.

    Raises:
      ExportError: a layer is of one's own making, or an argument not one a model file may have.
    """
    return Network(model.name, tuple(map(_read_layer, model.layers)))


def _read_layer(layer: Any) -> Layer:
    kind = type(layer).__name__
    if not type(layer).__module__.startswith("keras."):
        raise ExportError(
            f"The layer {layer.name!r} is a {kind} of {type(layer).__module__}, which is not "
            "written to ONNX: a layer of Keras was expected.",
            remedy="Put a layer of Keras in its place.",
        )
    config = layer.get_config()
    for name, expected in _EXPECTED.items():
        if config.get(name, expected) != expected:
            raise ExportError(
                f"The layer {layer.name!r} ({kind}) has {name}={config[name]!r}, which is not "
                f"written to ONNX: {expected!r} was expected.",
                remedy=f"Leave {name} as it is by default.",
            )
    names = (variable.name for variable in layer.weights)
    return Layer(
        kind,
        layer.name,
        config,
        tuple(layer.input.shape[1:]),
        tuple(layer.output.shape[1:]),
        dict(zip(names, layer.get_weights(), strict=True)),
    )
