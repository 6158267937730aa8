"""A Keras model's state as pure values; the only module that reads Keras's private names.

Keras 3.15 documents `stateless_call` and the like, but builds metrics and optimizers lazily
inside `fit`; there is no public name for "build everything from one batch".
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TypeAlias

import jax
import keras
import numpy as np
from keras import tree
from keras.src.backend import compute_output_spec, set_keras_mask, standardize_dtype
from keras.src.trainers.compile_utils import get_loss

from clearcnn.errors import TrainingError
from clearcnn.language import say
from clearcnn.types import Arguments, Batch, PyTree

State: TypeAlias = tuple[list[jax.Array], ...]
"""Values of the trainable, non-trainable, optimizer's and metrics' variables, or of some groups."""

_OWN_STEPS = ("train_step", "compute_loss", "compute_loss_and_updates")
_WRAPPED_BY_KERAS = {"build", "quantize"}
_LOOP_METHODS = (
    "make_train_function",
    "make_test_function",
    "evaluate",
    "_get_jax_state",
    "jax_state_sync",
    "_get_metrics_result_or_logs",
)


@dataclass(frozen=True)
class LossCall:
    """The arguments that Keras passes to one of a model's losses.

    Attributes:
      loss: the `keras.losses.Loss`; a plain function is within a LossFunctionWrapper.
      y: the targets, samples first.
      y_pred: the symbolic output; its batch size, and other sizes, may be None.
      sample_weight: the weights, or None.
      output: the output's name; "" if the model has one loss.
    """

    loss: keras.losses.Loss
    y: PyTree
    y_pred: keras.KerasTensor
    sample_weight: PyTree
    output: str

    @property
    def options(self) -> Arguments:
        """Keyword arguments of a loss function that was wrapped in a Loss."""
        options: Arguments = getattr(self.loss, "_fn_kwargs", {})
        return options

    @property
    def is_masked(self) -> bool:
        """Whether the model's own mask leaves some values out of the loss."""
        return getattr(self.y_pred, "_keras_mask", None) is not None


def trace_output(model: keras.Model, x: PyTree, batch_size: int) -> PyTree:
    """Return the model's symbolic output for samples `x`.

    A model without a graph is traced with a first batch, and built if it is not yet, as by Keras.
    """
    graph = getattr(model, "_functional", model)
    output = getattr(graph, "_outputs_struct", None)
    if output is not None:
        return output

    def to_spec(leaf: PyTree) -> keras.KerasTensor | None:
        if leaf is None:
            return None
        shape = (min(batch_size, leaf.shape[0]), *leaf.shape[1:])
        return keras.KerasTensor(shape, standardize_dtype(leaf.dtype))

    return compute_output_spec(model, tree.map_structure(to_spec, x), training=False)


def has_own_step(model: keras.Model) -> bool:
    """Tell whether the model overrides its training step or loss, and may read y in its own way."""
    return any(getattr(type(model), name) is not getattr(keras.Model, name) for name in _OWN_STEPS)


def is_keras_own(model: keras.Model, method: str) -> bool:
    """Tell whether a method is Keras's: neither the model nor its class overrides it."""
    return method not in vars(model) and getattr(type(model), method) is getattr(
        keras.Model, method
    )


def overridden_loop_methods(model: keras.Model) -> list[str]:
    """List the methods of Keras's training loop that the model overrides."""
    return [method for method in _LOOP_METHODS if not is_keras_own(model, method)]


def has_own_methods(model: keras.Model) -> bool:
    """Tell whether a method of the model or of one of its layers was replaced on the instance."""
    return any(
        callable(value) and hasattr(type(layer), name) and name not in _WRAPPED_BY_KERAS
        for layer in flatten_layers(model)
        for name, value in vars(layer).items()
    )


def flatten_layers(model: keras.Model, *, include_self: bool = True) -> list[keras.Layer]:
    """List a model's layers, with those inside other layers, in Keras's order."""
    return list(model._flatten_layers(include_self=include_self))


def learning_rate_schedule(
    model: keras.Model,
) -> keras.optimizers.schedules.LearningRateSchedule | None:
    """Return the schedule of the model's optimizer, or None for a constant rate."""
    rate = getattr(model.optimizer, "_learning_rate", None)
    return rate if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule) else None


def compiled_metrics(model: keras.Model) -> list[keras.metrics.Metric]:
    """List the metrics that the model was compiled with; it must be built."""
    compiled = model._compile_metrics
    return [] if compiled is None else list(compiled.metrics)


def loss_tracker(model: keras.Model) -> keras.metrics.Mean:
    """Return the metric that averages the loss over an epoch."""
    return model._loss_tracker


def match_losses(
    model: keras.Model, output: PyTree, y: PyTree, sample_weight: PyTree
) -> list[LossCall]:
    """Match targets and weights to losses and outputs as Keras does; nothing is computed.

    Args:
      model: a compiled `keras.Model` without a step of its own.
      output: as `trace_output` returns it.
      y, sample_weight: as `fit` will pass them; any number of samples.
    """
    compiled = model._compile_loss
    if compiled is None:
        return []
    calls: list[LossCall] = []

    class Recorder(keras.losses.Loss):  # type: ignore[misc]
        def __init__(self, identifier: object) -> None:
            super().__init__(name="recorder")
            self.identifier = identifier

        def __call__(self, y_true: PyTree, y_pred: PyTree, sample_weight: PyTree = None) -> float:
            loss = get_loss(self.identifier, y_true, y_pred)
            calls.append(LossCall(loss, y_true, y_pred, sample_weight, ""))
            return 0.0

    recorders = tree.map_structure(
        lambda loss: None if loss is None else Recorder(loss), compiled._user_loss
    )
    # Keras's own routing, with a recorder in place of each loss.
    routing = type(compiled)(recorders, output_names=compiled.output_names)
    routing.call(y, output, sample_weight)
    if len(calls) == 1:
        return calls
    names = [loss.name for loss in routing._flat_losses]
    return [replace(call, output=name) for call, name in zip(calls, names, strict=True)]


def mask_samples(y_pred: jax.Array, mask: jax.Array) -> None:
    """Let Keras's metrics leave out the samples of a batch where `mask`, bool (n,), is False."""
    set_keras_mask(y_pred, mask)


def build(model: keras.Model, batch: Batch) -> None:
    """Create every variable of model, optimizer, loss and metrics.

    Args:
      model: a compiled `keras.Model`.
      batch: (x, y, sample_weight), a few samples as `fit` will pass them.
    """
    model._symbolic_build(data_batch=batch)


def variables(model: keras.Model) -> tuple[list[keras.Variable], ...]:
    """Return the trainable, non-trainable, optimizer's and metrics' variables, in Keras's order."""
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )


def read_state(model: keras.Model) -> State:
    """Return the values of `variables`."""
    return tuple([v.value for v in group] for group in variables(model))


def write_state(model: keras.Model, state: PyTree) -> None:
    """Assign the values of `read_state`, as arrays of any kind, to the model's variables."""
    for group, values in zip(variables(model), state, strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)


@contextmanager
def emptied(
    variable: keras.Variable, on_read: Callable[[keras.Variable], jax.Array]
) -> Iterator[None]:
    """Remove a variable's value, as Keras does during training; reading it calls `on_read`."""
    kept = variable._value, variable._initializer
    variable._value, variable._initializer = None, lambda *_, **__: on_read(variable)
    try:
        yield
    finally:
        variable._value, variable._initializer = kept


def metric_results(
    model: keras.Model, state: State, step_logs: dict[str, PyTree] | None
) -> dict[str, jax.Array]:
    """Compute an epoch's logs as Keras does.

    A custom `train_step` may return other logs than the compiled metrics; then the logs of the
    last step are used, as by Keras.

    Args:
      state: the values of all variables.
      step_logs: of the last step; None if they are known to be the compiled metrics.
    Raises:
      TrainingError: a log is not a single number.
    """
    mapping = [
        pair
        for group, values in zip(variables(model), state, strict=True)
        for pair in zip(group, values, strict=True)
    ]
    with keras.StatelessScope(state_mapping=mapping):
        results = model.get_metrics_result()
    if step_logs is None or set(step_logs) == set(results):
        return dict(_to_numbers(results))
    return dict(_to_numbers(step_logs))


def _to_numbers(logs: dict[str, PyTree]) -> Iterator[tuple[str, jax.Array]]:
    """Flatten nested logs as Keras's History does."""
    for name, value in sorted(logs.items()):
        if isinstance(value, dict):
            yield from _to_numbers(value)
        elif np.size(value) == 1:
            yield name, keras.ops.reshape(value, ())
        else:
            raise TrainingError(
                say(
                    "The log {name!r} has the shape {value}; a single number was expected.",
                    name=name,
                    value=np.shape(value),
                ),
                remedy=say("Log its mean, or leave it out."),
            )


def first_epoch(model: keras.Model, initial_epoch: int) -> int:
    """Return the epoch to begin with; `BackupAndRestore` leaves a later one in the model."""
    return int(getattr(model, "_initial_epoch", None) or initial_epoch)
