"""The numbers of Rescaling layers, passed to a program as inputs.

A recipe rescales by the mean and deviation of its training set, which differ a little from fold
to fold. As constants of the program they would make each fold compile its own; as inputs, one
program serves all.

While a program is traced, the layers hold tracers, which another thread cannot read; one lock
keeps readers out until the layers have their own numbers again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import jax
import jax.numpy as jnp
import keras
import numpy as np

from clearcnn.training import keras_state

NAMES = ("scale", "offset")

Constants = list[dict[str, jax.Array]]

_lock = RLock()


def read_constants(model: keras.Model) -> Constants:
    """Return scale and offset of each Rescaling layer, in order, in the layer's dtype."""
    with _lock:
        return [
            {name: jnp.asarray(getattr(layer, name), layer.compute_dtype) for name in NAMES}
            for layer in _rescalings(model)
        ]


def read_means(layer: keras.layers.Rescaling) -> tuple[float, float]:
    """Return scale and offset of a layer, each averaged over the channels."""
    with _lock:
        return float(np.mean(layer.scale)), float(np.mean(layer.offset))


@contextmanager
def constants_in_place(model: keras.Model, constants: Constants) -> Iterator[None]:
    """While tracing, let the layers compute with `constants`; the model stays as it was."""
    layers = _rescalings(model)
    with _lock:
        own = [{name: getattr(layer, name) for name in NAMES} for layer in layers]
        _set(layers, constants)
        try:
            yield
        finally:
            _set(layers, own)


def _rescalings(model: keras.Model) -> list[keras.layers.Rescaling]:
    found = {id(layer): layer for layer in keras_state.flatten_layers(model)}
    return [layer for layer in found.values() if type(layer) is keras.layers.Rescaling]


def _set(layers: list[keras.layers.Rescaling], constants: Constants) -> None:
    for layer, values in zip(layers, constants, strict=True):
        for name, value in values.items():
            # Keras's own setter would track the value as part of the layer.
            object.__setattr__(layer, name, value)
