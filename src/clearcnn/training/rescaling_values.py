"""The numbers of Rescaling layers, given to a program as values.

A recipe rescales by the mean and deviation of its training part, which differ a little from fold
to fold. Compiled in, they would cost each fold a compilation of its own; given as values, one
program serves all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import jax.numpy as jnp
import keras

NAMES = ("scale", "offset")

Constants = list[dict[str, Any]]


def read_constants(model: Any) -> Constants:
    """Give scale and offset of each Rescaling layer, in order, in the layer's dtype."""
    return [
        {name: jnp.asarray(getattr(layer, name), layer.compute_dtype) for name in NAMES}
        for layer in _rescalings(model)
    ]


@contextmanager
def constants_in_place(model: Any, constants: Constants) -> Iterator[None]:
    """While tracing, let the layers compute with `constants`; the model stays as it was."""
    layers = _rescalings(model)
    own = [{name: getattr(layer, name) for name in NAMES} for layer in layers]
    _set(layers, constants)
    try:
        yield
    finally:
        _set(layers, own)


def _rescalings(model: Any) -> list[Any]:
    found = {id(layer): layer for layer in model._flatten_layers()}
    return [layer for layer in found.values() if type(layer) is keras.layers.Rescaling]


def _set(layers: list[Any], constants: Constants) -> None:
    for layer, values in zip(layers, constants, strict=True):
        for name, value in values.items():
            # Past Keras's own setter, which would track what is only passing through.
            object.__setattr__(layer, name, value)
