"""Batch normalization folded into the convolution or Dense layer before it."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from clearcnn.export.network import Layer, Network, make_placeholder

_LINEAR = ("Conv2D", "Dense")
"""Layers whose kernel has the outputs last."""


def fold_batch_normalization(network: Network) -> Network:
    """Fold each BatchNormalization into the layer before it, where that is linear.

    In a trained network it is a scale and an offset for each channel, which a Conv2D or Dense layer
    without activation can apply with its own kernel and bias. Elsewhere, as after a pooling, it
    stays.

    Args:
      network: its weights may be placeholders; then those of the result mean nothing.
    Returns:
      A network with the same outputs, to float tolerance; the folded layer has the name of the
      Conv2D or Dense layer.
    """
    layers: list[Layer] = []
    for layer in network.layers:
        if layer.kind == "BatchNormalization" and layers and _is_linear(layers[-1]):
            layers[-1] = _fold(layers[-1], layer)
        else:
            layers.append(layer)
    return dataclasses.replace(network, layers=tuple(layers))


def _is_linear(layer: Layer) -> bool:
    return layer.kind in _LINEAR and layer.arguments["activation"] == "linear"


def _fold(layer: Layer, normalization: Layer) -> Layer:
    kernel, weights = layer.weights["kernel"], normalization.weights
    arguments = {**layer.arguments, "use_bias": True}
    if not any(kernel.strides):
        # A placeholder, which may be larger than memory.
        placeholder = make_placeholder(kernel.shape[-1:])
        weights = {**layer.weights, "bias": placeholder}
        return dataclasses.replace(layer, weights=weights, arguments=arguments)
    ones = np.ones(kernel.shape[-1], np.float32)

    def read(name: str, otherwise: float) -> NDArray[np.float64]:
        return np.asarray(weights.get(name, ones * otherwise), np.float64)

    variance = read("moving_variance", 1.0) + normalization.arguments["epsilon"]
    scale = read("gamma", 1.0) / np.sqrt(variance)
    bias = np.asarray(layer.weights.get("bias", ones * 0), np.float64)
    bias = (bias - read("moving_mean", 0.0)) * scale + read("beta", 0.0)
    folded = {"kernel": (kernel * scale).astype(np.float32), "bias": bias.astype(np.float32)}
    return dataclasses.replace(layer, weights={**layer.weights, **folded}, arguments=arguments)
