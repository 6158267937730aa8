"""Activations of every layer for one image, and the filters of convolutions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearcnn.backend import load_keras
from clearcnn.types import Pixels

load_keras()

if TYPE_CHECKING:
    import keras

Array = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Passage:
    """Input and output of every layer, without the batch, float32.

    Attributes:
      inputs, outputs: one array per layer in order: (height, width, maps) or (units,).
    """

    inputs: tuple[Array, ...]
    outputs: tuple[Array, ...]


def follow(model: "keras.Sequential", image: Pixels) -> Passage:
    """Run one image through a model layer by layer, in inference mode.

    Args:
      model: a built `keras.Sequential`.
      image: (height, width, channels), pixel values as the model takes them.
    """
    values = np.asarray(image, dtype=np.float32)[np.newaxis]
    inputs, outputs = [], []
    for layer in model.layers:
        inputs.append(values[0])
        values = np.asarray(layer(values), dtype=np.float32)
        outputs.append(values[0])
    return Passage(tuple(inputs), tuple(outputs))


def read_filters(layer: "keras.Layer") -> Array | None:
    """Return the filters of a convolution.

    Args:
      layer: a built Keras layer.
    Returns:
      (num_filters, kernel height, kernel width, channels) float32; a depthwise or separable
      convolution has filters of one channel each, so channels is 1. None for other layers.
    """
    kind = type(layer).__name__
    if kind == "Conv2D":
        return np.moveaxis(np.asarray(layer.kernel, dtype=np.float32), -1, 0)
    if kind == "DepthwiseConv2D":
        kernel = np.asarray(layer.kernel, dtype=np.float32)
    elif kind == "SeparableConv2D":
        kernel = np.asarray(layer.depthwise_kernel, dtype=np.float32)
    else:
        return None
    height, width, channels, multiplier = kernel.shape
    return np.moveaxis(kernel.reshape(height, width, channels * multiplier), -1, 0)[..., np.newaxis]
