"""A network for export: its layers by Keras's names, with shapes and weights."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from clearcnn.errors import ExportError
from clearcnn.language import say
from clearcnn.specs import Arguments

Shape = tuple[int, ...]


class KerasTensor(Protocol):
    """A symbolic tensor of Keras."""

    shape: tuple[int | None, ...]


class KerasVariable(Protocol):
    """A variable of Keras."""

    name: str


class KerasLayer(Protocol):
    """The attributes of `keras.Layer` that the export reads."""

    name: str
    weights: Sequence[KerasVariable]
    input: KerasTensor
    output: KerasTensor

    def get_config(self) -> dict[str, Any]:
        """Return the arguments."""

    def get_weights(self) -> list[NDArray[np.float32]]:
        """Return the weights."""


class KerasModel(Protocol):
    """The attributes of `keras.Sequential` that the export reads, without importing Keras."""

    name: str
    layers: Sequence[KerasLayer]


# Keras arguments that the export does not support, with their only accepted values.
_EXPECTED = {"axis": -1, "data_format": "channels_last", "keepdims": False, "renorm": False}


@dataclass(frozen=True, eq=False)
class Layer:
    """One layer.

    Attributes:
      kind: Keras's class name.
      name: unique in the network, without "/".
      arguments: by Keras's names.
      input_shape, output_shape: of one image, without the batch.
      weights: float32, by Keras's names.
    """

    kind: str
    name: str
    arguments: Arguments
    input_shape: Shape
    output_shape: Shape
    weights: Mapping[str, NDArray[np.float32]]

    @property
    def most_values(self) -> int:
        """Values in its largest tensor for one image: input, intermediate or output."""
        sizes = [math.prod(self.input_shape), math.prod(self.output_shape)]
        if self.kind == "SeparableConv2D":
            channels = self.weights["pointwise_kernel"].shape[2]
            sizes.append(math.prod(self.output_shape[:2]) * channels)
        return max(sizes)


@dataclass(frozen=True, eq=False)
class Network:
    """A sequence of layers."""

    name: str
    layers: tuple[Layer, ...]

    @property
    def num_parameters(self) -> int:
        """The number of values in all weights."""
        return sum(values.size for layer in self.layers for values in layer.weights.values())

    @property
    def most_values(self) -> int:
        """Values in its largest tensor for one image."""
        return max(layer.most_values for layer in self.layers)


def make_placeholder(shape: Shape) -> NDArray[np.float32]:
    """Make zeros of any shape without allocating memory, as placeholders for unknown weights."""
    return np.broadcast_to(np.float32(0), shape)


def read_network(model: KerasModel) -> Network:
    """Read a built `keras.Sequential` with channels last.

    Raises:
      ExportError: a layer is not one of Keras's, or has an unsupported argument.
    """
    return Network(model.name, tuple(map(_read_layer, model.layers)))


def _read_layer(layer: KerasLayer) -> Layer:
    kind = type(layer).__name__
    if not type(layer).__module__.startswith("keras."):
        raise ExportError(
            say(
                "The layer {name!r} is a {kind} from {module}, which cannot be written to "
                "ONNX; expected a layer of Keras.",
                name=layer.name,
                kind=kind,
                module=type(layer).__module__,
            ),
            remedy=say("Replace it with a layer of Keras."),
        )
    config = layer.get_config()
    for name, expected in _EXPECTED.items():
        if config.get(name, expected) != expected:
            raise ExportError(
                say(
                    "The layer {name!r} ({kind}) has {argument}={value!r}, which cannot be "
                    "written to ONNX; expected {expected!r}.",
                    name=layer.name,
                    kind=kind,
                    argument=name,
                    value=config[name],
                    expected=expected,
                ),
                remedy=say("Remove the argument {name}.", name=name),
            )
    names = (variable.name for variable in layer.weights)
    return Layer(
        kind,
        layer.name,
        config,
        cast(Shape, tuple(layer.input.shape[1:])),
        cast(Shape, tuple(layer.output.shape[1:])),
        dict(zip(names, layer.get_weights(), strict=True)),
    )
