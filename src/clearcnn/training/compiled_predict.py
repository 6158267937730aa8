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

from clearcnn.training.cpu_kernels import rewrite_on_cpu
from clearcnn.training.devices import place, replicated_sharding
from clearcnn.training.fingerprint import fingerprint_network
from clearcnn.training.program_cache import obtain_shared
from clearcnn.training.rescaling_values import Constants, constants_in_place, read_constants
from clearcnn.types import Pixels

_FULL_BATCH, _SMALL_BATCH = 256, 32

_Values = list[jax.Array]
_Weights = tuple[_Values, _Values, Constants]


def predict(model: keras.Model, images: Pixels) -> NDArray[np.float32]:
    """Compute what `model.predict` computes, to float tolerance.

    Args:
      model: a built `keras.Model` with one input and one output, (n, classes).
      images: (n, height, width, channels) of any real dtype.
    Returns:
      float32 (n, classes).
    """
    weights = _read_weights(model)
    batch = _make_batch(model, len(images), images.shape[1:])
    program = _obtain(model, weights, batch)
    size = len(batch)
    found = [np.zeros((0, *model.outputs[0].shape[1:]), np.float32)]
    for start in range(0, len(images), size):
        part = images[start : start + size]
        batch[: len(part)] = part
        found.append(np.asarray(program(*weights, batch), np.float32)[: len(part)])
    return np.concatenate(found)


def compile_predict(model: keras.Model, num_images: int) -> None:
    """Compile the program of `predict`, so that it finds it in memory; compute nothing.

    Another thread may train the model meanwhile. During the trace, the numbers of its Rescaling
    layers are tracers: read them through `rescaling_values` only.

    Nothing is compiled for a model with classes that are not Keras's own, whose programs are not
    kept, and for no images.

    Args:
      model: as for `predict`; its input has a shape.
      num_images: of the images to come.
    """
    if not num_images or fingerprint_network(model) is None:
        return
    batch = _make_batch(model, num_images, model.inputs[0].shape[1:])
    _obtain(model, _read_weights(model), batch)


def _read_weights(model: keras.Model) -> _Weights:
    weights: _Weights = place(
        (
            [v.value for v in model.trainable_variables],
            [v.value for v in model.non_trainable_variables],
            read_constants(model),
        )
    )
    return weights


def _make_batch(model: keras.Model, num_images: int, shape: tuple[int, ...]) -> NDArray[np.generic]:
    size = _FULL_BATCH if num_images > _SMALL_BATCH else _SMALL_BATCH
    return np.zeros((size, *shape), model.inputs[0].dtype)


def _obtain(
    model: keras.Model, weights: _Weights, batch: NDArray[np.generic]
) -> jax.stages.Compiled:
    def compile_forward() -> jax.stages.Wrapped:
        return jax.jit(partial(_forward, model), out_shardings=replicated_sharding())

    fingerprint = fingerprint_network(model)
    kind = None if fingerprint is None else ("predict", fingerprint)
    return obtain_shared(compile_forward, kind, (*weights, batch))


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

    with constants_in_place(model, constants):
        return rewrite_on_cpu(compute)(trainable, other, images)
