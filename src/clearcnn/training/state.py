"""A Keras model's state as pure values: the one place that knows Keras's private names.

Keras 3.15 documents `stateless_call` and friends, but builds metrics and optimizers lazily
inside `fit`; there is no public name for "build everything from one batch".
"""

from typing import Any

import keras


def build(model: Any, batch: Any) -> None:
    """Make sure that every variable of model, optimizer, loss and metrics exists.

    Args:
      model: a compiled `keras.Model`.
      batch: (x, y, sample_weight), a few samples as `fit` will pass them.
    """
    model._symbolic_build(data_batch=batch)


def read_state(model: Any) -> tuple[list[Any], list[Any], list[Any], list[Any]]:
    """Give (trainable, non-trainable, optimizer, metric) values, in Keras's order."""
    return (
        [v.value for v in model.trainable_variables],
        [v.value for v in model.non_trainable_variables],
        [v.value for v in model.optimizer.variables],
        [v.value for v in model.metrics_variables],
    )


def write_state(model: Any, state: Any) -> None:
    """Put the values of `read_state` back into the model."""
    variables = (
        model.trainable_variables,
        model.non_trainable_variables,
        model.optimizer.variables,
        model.metrics_variables,
    )
    for group, values in zip(variables, state, strict=True):
        for variable, value in zip(group, values, strict=True):
            variable.assign(value)


def metric_results(model: Any, metric_values: Any, step_logs: Any) -> dict[str, Any]:
    """Compute an epoch's logs from the values of the metric variables, as Keras does.

    A custom `train_step` may return other logs than the compiled metrics; then those of the
    last step stand, which is also Keras's rule.
    """
    mapping = list(zip(model.metrics_variables, metric_values, strict=True))
    with keras.StatelessScope(state_mapping=mapping):
        results = model.get_metrics_result()
    if isinstance(step_logs, dict) and set(step_logs) != set(results):
        return dict(step_logs)
    return dict(results)


def first_epoch(model: Any, initial_epoch: int) -> int:
    """Give the epoch to begin with; `BackupAndRestore` leaves a later one in the model."""
    return int(getattr(model, "_initial_epoch", None) or initial_epoch)
