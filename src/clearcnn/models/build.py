"""Build the Keras model of a spec, with seeded initial weights."""

from typing import TYPE_CHECKING

import numpy as np

from clearcnn.backend import load_keras
from clearcnn.initial_values import initial_values_by_numpy
from clearcnn.models.layers import (
    CONVOLUTIONS,
    GLOBAL_POOLINGS,
    INPUT_NAME,
    POOLINGS,
    complete_layer,
    name_layers,
)
from clearcnn.models.output_layer import check_output
from clearcnn.specs import ModelSpec

if TYPE_CHECKING:
    import keras

_WITH_DATA_FORMAT = {*CONVOLUTIONS, *POOLINGS, *GLOBAL_POOLINGS, "Flatten", "ZeroPadding2D"}
_INITIALIZERS = {
    "Conv2D": ("kernel_initializer",),
    "Dense": ("kernel_initializer",),
    "DepthwiseConv2D": ("depthwise_initializer",),
    "SeparableConv2D": ("depthwise_initializer", "pointwise_initializer"),
}


def build_model(
    spec: ModelSpec, input_shape: tuple[int, int, int], num_classes: int, seed: int
) -> "keras.Sequential":
    """Build a Keras model whose initial weights and dropout depend on the seed alone.

    Args:
      spec: the model; its last layer gives the class probabilities.
      input_shape: (height, width, channels) of one image.
      num_classes: classes of the data.
      seed: non-negative int; the same seed gives the same bits. The global random state is
        neither read nor changed.
    Returns:
      A built `keras.Sequential`, float32, not compiled: raw pixels (n, height, width,
      channels) in, probabilities (n, num_classes) out.
    Raises:
      LayerError, SpecError: as `check_output` does.
      BackendError: Keras runs on another backend than JAX.
    """
    check_output(spec, input_shape, num_classes)
    keras = load_keras()
    layers = [keras.Input(input_shape, dtype="float32", name=INPUT_NAME)]
    names = name_layers(spec.layers)
    for position, (layer, name) in enumerate(zip(spec.layers, names, strict=True), start=1):
        arguments = complete_layer(layer, position)
        seeds = iter(_derive_seeds(seed, position))
        for initializer in _INITIALIZERS.get(layer.layer, ()):
            # Keras's default initializer, with a seed.
            arguments[initializer] = keras.initializers.GlorotUniform(seed=next(seeds))
        if layer.layer == "Dropout":
            arguments["seed"] = next(seeds)
        # Explicit, since a user's keras.json may set another default.
        if layer.layer in _WITH_DATA_FORMAT:
            arguments["data_format"] = "channels_last"
        layers.append(getattr(keras.layers, layer.layer)(**arguments, name=name, dtype="float32"))
    with initial_values_by_numpy():
        return keras.Sequential(layers, name=spec.name)


def _derive_seeds(seed: int, position: int) -> list[int]:
    """Derive two independent seeds for a layer, small enough for every Keras backend."""
    words = np.random.SeedSequence(seed, spawn_key=(position,)).generate_state(2)
    return [int(word) >> 1 for word in words]
