"""A builder of ONNX graphs: a sequence of operators, and the layout of its tensor."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import ArrayLike, DTypeLike
from onnx import helper

from clearcnn.types import Array

Layout = Literal["NHWC", "NCHW", "flat"]

_TRANSPOSITIONS = {"NCHW": (0, 3, 1, 2), "NHWC": (0, 2, 3, 1)}


@dataclass(frozen=True, eq=False)
class Initializer:
    """A constant tensor in an ONNX graph.

    Attributes:
      name: of the tensor.
      values: of any shape, in the file's dtype; placeholders if only the graph is needed.
      is_learned: whether these are weights, and not constants given by the layer's arguments.
    """

    name: str
    values: Array
    is_learned: bool


@dataclass
class Graph:
    """A sequence of operators; new ones are appended at its end.

    Keras has an image's channels last; ONNX's convolutions and poolings have them first. The image
    is transposed only where the next layer needs it.

    Attributes:
      tensor: the name of the current tensor, the last operator's output.
      layout: of the current tensor; "flat" is (batch, values).
      layer: the name of the Keras layer that is being written; a prefix of the names of its
        tensors.
      nodes, initializers: those added so far.
    """

    tensor: str
    layout: Layout = "NHWC"
    layer: str = "input"
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    initializers: list[Initializer] = field(default_factory=list)

    def apply(self, operator: str, *others: str, **attributes: Any) -> None:
        """Append an operator.

        Args:
          operator: ONNX's name.
          others: names of its inputs after the first, which is the current tensor.
          attributes: by ONNX's names.
        """
        output = f"{self.layer}/{operator}_{len(self.nodes)}"
        node = helper.make_node(
            operator, [self.tensor, *others], [output], name=output, **attributes
        )
        self.nodes.append(node)
        self.tensor = output

    def add_constant(self, name: str, values: ArrayLike, dtype: DTypeLike = np.float32) -> str:
        """Add a constant tensor.

        Args:
          name: of the constant in its layer, such as "scale".
          values: of any shape.
          dtype: to store them in.
        Returns:
          The name of the tensor.
        """
        return self._add(name, np.asarray(values, dtype), is_learned=False)

    def add_weights(self, name: str, values: Array) -> str:
        """Add weights, such as a "kernel", as float32; otherwise like `add_constant`."""
        return self._add(name, np.asarray(values, np.float32), is_learned=True)

    def _add(self, name: str, values: Array, *, is_learned: bool) -> str:
        full_name = f"{self.layer}/{name}_{len(self.initializers)}"
        # A scalar is stored as an array of shape (1,).
        self.initializers.append(Initializer(full_name, np.atleast_1d(values), is_learned))
        return full_name

    def transpose(self, layout: Layout) -> None:
        """Transpose an image to a layout; a flat tensor stays as it is."""
        if self.layout not in ("flat", layout):
            self.apply("Transpose", perm=_TRANSPOSITIONS[layout])
            self.layout = layout

    def add_output(self, name: str) -> None:
        """Make the current tensor an output of the graph, with channels last; it stays current."""
        if self.layout == "NCHW":
            node = helper.make_node(
                "Transpose", [self.tensor], [name], name=name, perm=_TRANSPOSITIONS["NHWC"]
            )
        else:
            node = helper.make_node("Identity", [self.tensor], [name], name=name)
        self.nodes.append(node)

    @property
    def channel_axis(self) -> int:
        """The axis of the channels, which Keras has last."""
        return 1 if self.layout == "NCHW" else -1


def place_padding(
    lengths: Sequence[int],
    extents: Sequence[int],
    strides: Sequence[int],
    padding: str,
) -> list[int]:
    """Compute the padding on each side.

    Args:
      lengths: (height, width) of the image.
      extents: (height, width) that the window covers, dilation included.
      strides: (rows, columns).
      padding: "valid" or "same". With "same" the output has ceil(length / stride) positions; if
        the padding is odd, the extra pixel is at the end.
    Returns:
      [top, left, bottom, right], in ONNX's order.
    """
    if padding == "valid":
        return [0, 0, 0, 0]
    missing = [
        max((math.ceil(length / stride) - 1) * stride + extent - length, 0)
        for length, extent, stride in zip(lengths, extents, strides, strict=True)
    ]
    before = [number // 2 for number in missing]
    return before + [number - first for number, first in zip(missing, before, strict=True)]
