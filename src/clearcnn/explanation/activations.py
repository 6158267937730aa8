"""Activations of every layer for one image, and the filters of convolutions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearcnn.explanation.keras_functions import Network
from clearcnn.types import Pixels

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


def follow(network: Network, image: Pixels) -> Passage:
    """Run one image through a model, and keep what each layer receives and gives.

    Args:
      network: the model.
      image: (height, width, channels), pixel values as the model takes them.
    """
    outputs = network.outputs(image)
    received = np.asarray(image, dtype=np.float32)
    return Passage((received, *outputs[:-1]), tuple(outputs))


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
