"""A Keras model's state as pure values: the one place that knows Keras's private names.

Keras 3.15 documents `stateless_call` and friends, but builds metrics and optimizers lazily
inside `fit`; there is no public name for "build everything from one batch".
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import tree
from keras.src.backend import compute_output_spec, standardize_dtype
from keras.src.trainers.compile_utils import get_loss

from clearcnn.errors import TrainingError

_OWN_STEPS = ("train_step", "compute_loss", "compute_loss_and_updates")


@dataclass(frozen=True)
class LossCall:
    """What Keras passes to one of a model's losses.

    Attributes:
      loss: the `keras.losses.Loss`; a plain function is within a LossFunctionWrapper.
      y: the targets, samples first.
      y_pred: the symbolic output; its batch size, and other sizes, may be None.
      sample_weight: the weights, or None.
      output: the output's name; "" if the model has one loss.
    """

    loss: Any
    y: Any
    y_pred: Any
    sample_weight: Any
    output: str


def trace_output(model: Any, x: Any, batch_size: int) -> Any:
    """Give the model's symbolic output for samples `x`.

    A model without a graph is traced, and built if it is not yet, from a first batch as Keras does.
    """
    graph = getattr(model, "_functional", model)
    output = getattr(graph, "_outputs_struct", None)
    if output is not None:
        return output

    def to_spec(leaf: Any) -> Any:
        if leaf is None:
            return None
        shape = (min(batch_size, leaf.shape[0]), *leaf.shape[1:])
        return keras.KerasTensor(shape, standardize_dtype(leaf.dtype))

    return compute_output_spec(model, tree.map_structure(to_spec, x), training=False)


def has_own_step(model: Any) -> bool:
    """Tell whether the model trains by a method of its own, which may read y in its own way."""
    return any(getattr(type(model), name) is not getattr(keras.Model, name) for name in _OWN_STEPS)


def match_losses(model: Any, output: Any, y: Any, sample_weight: Any) -> list[LossCall]:
    """Match targets and weights to losses and outputs as Keras does; nothing is computed.

    Args:
      model: a compiled `keras.Model` without a step of its own.
      output: as `trace_output` gives it.
      y, sample_weight: as `fit` will pass them; any number of samples.
    """
    compiled = model._compile_loss
    if compiled is None:
        return []
    calls: list[LossCall] = []

    class Recorder(keras.losses.Loss):  # type: ignore[misc]
        def __init__(self, identifier: Any) -> None:
            super().__init__(name="recorder")
            self.identifier = identifier

        def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
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


def build(model: Any, batch: Any) -> None:
    """Make sure that every variable of model, optimizer, loss and metrics exists.

    Args:
      model: a compiled `keras.Model`.
      batch: (x, y, sample_weight), a few samples as `fit` will pass them.
    """
    model._symbolic_build(data_batch=batch)


def variables(model: Any) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Give the trainable, non-trainable, optimizer's and metrics' variables, in Keras's order."""
    return (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )


def read_state(model: Any) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Give the values of `variables`."""
    trainable, other, optimizer, metrics = ([v.value for v in vs] for vs in variables(model))
    return trainable, other, optimizer, metrics


def write_state(model: Any, state: Any) -> None:
    """Put the values of `read_state` back into the model."""
    for group, values in zip(variables(model), state, strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)


@contextmanager
def emptied(variable: Any, ask: Callable[[Any], Any]) -> Iterator[None]:
    """Take a variable's value away, as Keras does while it trains; who reads it calls `ask`."""
    kept = variable._value, variable._initializer
    variable._value, variable._initializer = None, lambda *_, **__: ask(variable)
    try:
        yield
    finally:
        variable._value, variable._initializer = kept


def metric_results(model: Any, state: Any, step_logs: dict[str, Any]) -> dict[str, Any]:
    """Compute an epoch's logs, as Keras does.

    A custom `train_step` may return other logs than the compiled metrics; then those of the
    last step stand, which is also Keras's rule.

    Args:
      state: the values of all variables.
      step_logs: of the last step.
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
    return dict(_to_numbers(results if set(step_logs) == set(results) else step_logs))


def _to_numbers(logs: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Flatten logs as Keras's History does."""
    for name, value in sorted(logs.items()):
        if isinstance(value, dict):
            yield from _to_numbers(value)
        elif np.size(value) == 1:
            yield name, keras.ops.reshape(value, ())
        else:
            raise TrainingError(
                f"The log {name!r} has the shape {np.shape(value)}; a single number was expected.",
                remedy="Log its mean, or leave it out.",
            )


def first_epoch(model: Any, initial_epoch: int) -> int:
    """Give the epoch to begin with; `BackupAndRestore` leaves a later one in the model."""
    return int(getattr(model, "_initial_epoch", None) or initial_epoch)
