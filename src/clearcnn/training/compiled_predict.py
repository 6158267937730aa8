"""Predictions through one compiled program with the CPU kernels.

Keras's `predict` compiles a program for every model and every size of a last batch, with XLA's
convolutions. Here, networks of the same layers share one, since weights and the numbers of
Rescaling layers are its inputs, and a smaller batch is filled up.
"""

from functools import partial

import jax
import keras
import numpy as np
from numpy.typing import NDArray

from clearcnn.training.cpu_kernels import rewrite
from clearcnn.training.devices import place, replicated_sharding
from clearcnn.training.fingerprint import fingerprint_network
from clearcnn.training.program_cache import obtain_shared
from clearcnn.training.rescaling_values import Constants, constants_in_place, read_constants
from clearcnn.types import Pixels

_FULL_BATCH, _SMALL_BATCH = 256, 32

_Values = list[jax.Array]


def predict(model: keras.Model, images: Pixels) -> NDArray[np.float32]:
    """Compute what `model.predict` computes, to float tolerance.

    Args:
      model: a built `keras.Model` with one input and one output, (n, classes).
      images: (n, height, width, channels) of any real dtype.
    Returns:
      float32 (n, classes).
    """
    size = _FULL_BATCH if len(images) > _SMALL_BATCH else _SMALL_BATCH
    batch = np.zeros((size, *images.shape[1:]), model.inputs[0].dtype)
    weights = place(
        (
            [v.value for v in model.trainable_variables],
            [v.value for v in model.non_trainable_variables],
            read_constants(model),
        )
    )

    def compile_forward() -> jax.stages.Wrapped:
        return jax.jit(partial(_forward, model), out_shardings=replicated_sharding())

    fingerprint = fingerprint_network(model)
    kind = None if fingerprint is None else ("predict", fingerprint)
    program = obtain_shared(compile_forward, kind, (*weights, batch))
    found = [np.zeros((0, *model.outputs[0].shape[1:]), np.float32)]
    for start in range(0, len(images), size):
        part = images[start : start + size]
        batch[: len(part)] = part
        found.append(np.asarray(program(*weights, batch), np.float32)[: len(part)])
    return np.concatenate(found)


def _forward(
    model: keras.Model,
    trainable: _Values,
    other: _Values,
    constants: Constants,
    images: jax.Array,
) -> jax.Array:
    def compute(trainable: _Values, other: _Values, images: jax.Array) -> jax.Array:
        outputs: jax.Array = model.stateless_call(trainable, other, images, training=False)[0]
        return outputs

    if jax.default_backend() == "cpu":
        compute = rewrite(compute)
    with constants_in_place(model, constants):
        return compute(trainable, other, images)
