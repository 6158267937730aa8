"""A step on a batch of fixed size in which only the first samples count.

The number of samples then is an input of the program: the last batch is filled up with samples of
weight 0, and one program serves all numbers of samples. Losses are means over the batch, so the
weights of the others grow by batch size over count; the epoch's averages count them alone, and
batch normalization computes its statistics from them. The results are those of the smaller batch
to float tolerance.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import jax
import jax.numpy as jnp
import keras

from clearcnn.training import keras_state
from clearcnn.training.cpu_kernels.microbatches import treats_samples_alone
from clearcnn.training.first_moments import Moments, first_moments
from clearcnn.training.keras_state import State
from clearcnn.training.train_step import run_step
from clearcnn.types import Batch, PyTree

_NORMALIZATION = "BatchNormalization"
# Keras's method of (inputs, mask) → mean and variance, called in training only.
_MOMENTS = "_moments"


def can_count(model: keras.Model) -> bool:
    """Tell whether a step of the model can leave samples of a batch out, exactly.

    That is known of models with one output of a vector per sample, losses that are means over the
    batch, and metrics that are means over samples. Others get a program for each number of samples.

    Args:
      model: compiled and built, of Keras's own parts: one with a `fingerprint_program`.
    """
    return (
        _has_one_vector(model)
        and treats_samples_alone(model, beside=(_NORMALIZATION,))
        and all(map(_can_mask, _batch_normalizations(model)))
        and all(
            isinstance(metric, keras.metrics.MeanMetricWrapper)
            for metric in keras_state.compiled_metrics(model)
        )
        and all(
            getattr(layer, "activity_regularizer", None) is None
            for layer in keras_state.flatten_layers(model)
        )
    )


def _batch_normalizations(model: keras.Model) -> list[keras.layers.BatchNormalization]:
    """List the layers that compute with the whole batch while the model trains."""
    found = {id(layer): layer for layer in keras_state.flatten_layers(model)}
    return [each for each in found.values() if type(each) is keras.layers.BatchNormalization]


def run_counted_step(
    model: keras.Model, state: State, batch: Batch, count: jax.Array, *, training: bool
) -> State:
    """Trace one step on the first samples of a batch.

    Args:
      model: one that `can_count`, compiled and built.
      state: as for `run_step`.
      batch: (x, y, sample_weight); the samples from `count` on may be any.
      count: int32, 1 <= count <= the batch size.
      training: whether to train on it or to validate.
    Returns:
      The state after the step.
    """
    x, y, weights = batch
    size = jax.tree.leaves(x)[0].shape[0]
    mask = jnp.arange(size, dtype=jnp.int32) < count
    scale = jnp.where(mask, size / count.astype(keras.config.floatx()), 0)

    def weigh(own: jax.Array) -> jax.Array:
        return own * scale.reshape(size, *[1] * (own.ndim - 1)).astype(scale.dtype)

    weighted = scale if weights is None else jax.tree.map(weigh, weights)
    with _counting(model, mask, count, weights, training=training):
        _, after = run_step(model, state, (x, y, weighted), training=training)
    return after


@contextmanager
def _counting(
    model: keras.Model, mask: jax.Array, count: jax.Array, weights: PyTree, *, training: bool
) -> Iterator[None]:
    """While tracing, let metrics, the average loss and the statistics of a batch see its mask."""
    tracker = keras_state.loss_tracker(model)
    track, measure = tracker.update_state, model.compute_metrics

    def update_state(loss: jax.Array, sample_weight: PyTree = None) -> None:  # noqa: ARG001
        track(loss, sample_weight=count)

    def compute_metrics(x: PyTree, y: PyTree, y_pred: PyTree, _: PyTree = None) -> PyTree:
        keras_state.mask_samples(y_pred, mask)
        return measure(x, y, y_pred, weights)

    with ExitStack() as replaced:
        replaced.enter_context(_in_place(tracker, "update_state", update_state))
        replaced.enter_context(_in_place(model, "compute_metrics", compute_metrics))
        for layer in _batch_normalizations(model) if training else []:
            replaced.enter_context(_in_place(layer, _MOMENTS, _find_moments(count)))
        yield


def _find_moments(count: jax.Array) -> Callable[..., Moments]:
    """Return a substitute for a BatchNormalization's own: of the first samples alone."""

    def moments(inputs: jax.Array, mask: None = None) -> Moments:  # noqa: ARG001
        return first_moments(inputs, count)

    return moments


@contextmanager
def _in_place(owner: object, name: str, method: Callable[..., object]) -> Iterator[None]:
    """Hide a method behind an attribute of the instance, which Keras does not track."""
    object.__setattr__(owner, name, method)
    try:
        yield
    finally:
        object.__delattr__(owner, name)


def _has_one_vector(model: keras.Model) -> bool:
    output = keras_state.trace_output(model, None, 1)
    return isinstance(output, keras.KerasTensor) and len(output.shape) == 2


def _can_mask(layer: keras.layers.BatchNormalization) -> bool:
    is_last = layer.axis in (-1, layer.input_spec.ndim - 1)
    # Not documented: where Keras names it otherwise, samples are not left out.
    has_moments = callable(getattr(layer, _MOMENTS, None))
    return is_last and has_moments and not getattr(layer, "renorm", False)
