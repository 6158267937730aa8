"""An ONNX graph in the making: one chain of operators, and the layout its tensor is in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import ArrayLike, NDArray
from onnx import helper

Layout = Literal["NHWC", "NCHW", "flat"]

_TRANSPOSITIONS = {"NCHW": (0, 3, 1, 2), "NHWC": (0, 2, 3, 1)}


@dataclass(frozen=True, eq=False)
class Kept:
    """What a file keeps for its operators.

    Attributes:
      name: of the tensor.
      values: of any shape and in the file's dtype; placeholders where only the graph is asked for.
      is_learned: whether these are weights, and no constants of the layer's kind and arguments.
    """

    name: str
    values: NDArray[Any]
    is_learned: bool


@dataclass
class Graph:
    """A chain of operators that grows at its end.

    Keras keeps an image's channels last, ONNX convolves and pools with channels first. The
    image is turned only where the next layer needs it.

    Attributes:
      tensor: the name of what the chain gives so far.
      layout: how that tensor lies; "flat" is (batch, values).
      layer: the Keras layer that is being written; its name, which holds no "/", begins the
        names of its tensors.
      nodes, kept: what was written so far.
    """

    tensor: str
    layout: Layout = "NHWC"
    layer: str = "input"
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)

    def apply(self, operator: str, *others: str, **attributes: Any) -> None:
        """Append an operator to the end of the chain.

        Args:
          operator: ONNX's name.
          others: names of its inputs after the first, which is the chain's tensor.
          attributes: ONNX's own.
        """
        output = f"{self.layer}/{operator}_{len(self.nodes)}"
        node = helper.make_node(
            operator, [self.tensor, *others], [output], name=output, **attributes
        )
        self.nodes.append(node)
        self.tensor = output

    def keep(self, name: str, values: ArrayLike, dtype: Any = np.float32) -> str:
        """Keep constants in the file.

        Args:
          name: what they are to the layer, such as "scale".
          values: of any shape.
          dtype: NumPy's, to store them in.
        Returns:
          The name of their tensor.
        """
        return self._keep(name, np.asarray(values, dtype), is_learned=False)

    def keep_weights(self, name: str, values: NDArray[Any]) -> str:
        """Keep what was learned, such as a "kernel", as float32; takes and gives as `keep`."""
        return self._keep(name, np.asarray(values, np.float32), is_learned=True)

    def _keep(self, name: str, values: NDArray[Any], *, is_learned: bool) -> str:
        full_name = f"{self.layer}/{name}_{len(self.kept)}"
        # A single number is stored as an array of one.
        self.kept.append(Kept(full_name, np.atleast_1d(values), is_learned))
        return full_name

    def turn(self, layout: Layout) -> None:
        """Bring an image into a layout; a flat tensor stays as it is."""
        if self.layout not in ("flat", layout):
            self.apply("Transpose", perm=_TRANSPOSITIONS[layout])
            self.layout = layout

    def give(self, name: str) -> None:
        """Give the chain's tensor as an output of the graph, channels last; the chain goes on."""
        if self.layout == "NCHW":
            node = helper.make_node(
                "Transpose", [self.tensor], [name], name=name, perm=_TRANSPOSITIONS["NHWC"]
            )
        else:
            node = helper.make_node("Identity", [self.tensor], [name], name=name)
        self.nodes.append(node)

    @property
    def channel_axis(self) -> int:
        """The axis that Keras has last."""
        return 1 if self.layout == "NCHW" else -1


def place_padding(
    lengths: Sequence[int],
    extents: Sequence[int],
    strides: Sequence[int],
    padding: str,
) -> list[int]:
    """Work out the padding that Keras's "same" means.

    Args:
      lengths: (height, width) of the image.
      extents: (height, width) that the window covers, dilation included.
      strides: (rows, columns).
      padding: "valid" or "same"; the latter reaches ceil(length / stride) places, an odd
        position of padding at the end.
    Returns:
      [top, left, bottom, right], as ONNX has it.
    """
    if padding == "valid":
        return [0, 0, 0, 0]
    missing = [
        max((math.ceil(length / stride) - 1) * stride + extent - length, 0)
        for length, extent, stride in zip(lengths, extents, strides, strict=True)
    ]
    before = [number // 2 for number in missing]
    return before + [number - first for number, first in zip(missing, before, strict=True)]
