"""A model's `train_step` and `test_step`, called as Keras calls them on JAX, or refused by name.

While Keras trains, what the model computes with is the state that its steps are given, and its
variables hold nothing. A step that reads a variable itself, or assigns to one, would be compiled
with the value of that moment. So here the variables are empty while a step is traced, and say so.
"""

import inspect
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NoReturn

import jax.numpy as jnp
import keras

from clearcnn.errors import TrainingError
from clearcnn.training import keras_state

_LOOPS = (
    "make_train_function",
    "make_test_function",
    "evaluate",
    "_get_jax_state",
    "jax_state_sync",
    "_get_metrics_result_or_logs",
)
_GROUPS = ("trainable", "non-trainable", "optimizer's", "metrics'")


def is_keras_own(model: Any, method: str) -> bool:
    """Tell whether neither the model nor its class has a method of its own by this name."""
    return method not in vars(model) and getattr(type(model), method) is getattr(
        keras.Model, method
    )


def check_steps(model: Any) -> None:
    """Refuse, by name, a model whose training is more than its two steps.

    Raises:
      TrainingError: it has no optimizer, replaces parts of Keras's loop, or has steps that do not
        take (state, data).
    """
    name = type(model).__name__
    if model.optimizer is None:
        raise TrainingError(
            f"{name} is compiled without an optimizer.", remedy="Give model.compile an optimizer."
        )
    if replaced := [method for method in _LOOPS if not is_keras_own(model, method)]:
        raise TrainingError(
            f"{name} overrides {', '.join(replaced)}; clearcnn.fit calls train_step and test_step "
            "in a loop of its own.",
            remedy="Move the work to train_step or test_step, or use model.fit.",
        )
    for method in ("train_step", "test_step"):
        signature = inspect.signature(getattr(model, method))
        try:
            signature.bind("state", "data")
        except TypeError as error:
            raise TrainingError(
                f"{name}.{method}{signature} does not take (state, data), as it must on JAX.",
                remedy="Write it as in Keras's guide on custom steps with JAX.",
            ) from error


def run_step(model: Any, state: Any, batch: Any, *, training: bool) -> tuple[Any, Any]:
    """Trace one step.

    Args:
      model: a compiled and built `keras.Model`.
      state: the groups of variables that the step is given, as `keras_state.read_state` gives them,
        without the optimizer's where training is False.
      batch: (x, y, sample_weight).
    Returns:
      (logs, state), as the step gives them.
    Raises:
      TrainingError: the logs are no dict, or the state is not like the one that was given.
    """
    method = "train_step" if training else "test_step"
    with _AssignsNothing(model):
        result = getattr(model, method)(state, keras.utils.pack_x_y_sample_weight(*batch))
    name = f"{type(model).__name__}.{method}"
    if not isinstance(result, tuple) or len(result) != 2 or not isinstance(result[0], dict):
        raise TrainingError(
            f"{name} gives {_describe(result)}; (logs, state) with a dict of logs was expected.",
            remedy="Return the metrics by name, and the state.",
        )
    logs, after = result
    groups = [group for group in _GROUPS if training or group != "optimizer's"]
    if len(after) != len(groups):
        raise TrainingError(
            f"{name} gives a state of {len(after)} parts; {len(groups)} were expected: "
            f"{', '.join(groups)} variables.",
            remedy="Return the parts of the state it is given, in the same order.",
        )
    return logs, tuple(map(_check_group, [name] * len(groups), groups, state, after))


def _check_group(name: str, group: str, before: Any, given: Any) -> list[Any]:
    after: list[Any] = list(given)
    if len(after) != len(before):
        wrong = f"{len(after)} values for {len(before)}"
    else:
        pairs = zip(map(_describe_array, before), map(_describe_array, after), strict=True)
        changed = [f"{is_now} for {was}" for was, is_now in pairs if is_now != was]
        if not changed:
            return after
        wrong = changed[0]
    raise TrainingError(
        f"{name} gives other {group} variables than it was given: {wrong}.",
        remedy="Return one value for each variable, in order, of the same shape and dtype.",
    )


def _describe_array(array: Any) -> str:
    return f"{jnp.result_type(array)}{jnp.shape(array)}"


def _describe(result: Any) -> str:
    if isinstance(result, tuple) and len(result) == 2:
        return f"logs that are a {type(result[0]).__name__}"
    return f"a {type(result).__name__}"


class _AssignsNothing(keras.StatelessScope):  # type: ignore[misc]
    """What surrounds a step: Keras asks it for values of variables, and tells it of new ones."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self._model = model
        self._own = {id(v) for group in keras_state.variables(model) for v in group}

    def get_current_value(self, variable: Any) -> Any:
        if id(variable) in self._own:
            _refuse_to_read(self._model, variable)
        return None

    def add_update(self, update: Any) -> None:
        name = type(self._model).__name__
        raise TrainingError(
            f"A step of {name} assigns to {update[0].path}; on JAX a step changes no variable, so "
            "the value would be lost.",
            remedy="Use stateless_update_state, stateless_apply or stateless_call, and return the "
            "value in the state; an optimizer beside model.optimizer has no place there.",
        )


@contextmanager
def empty_variables(model: Any) -> Iterator[None]:
    """While tracing, let no variable of the model be read but through the state of a step."""
    with ExitStack() as stack:
        for group in keras_state.variables(model):
            for variable in group:
                stack.enter_context(
                    keras_state.emptied(variable, lambda v: _refuse_to_read(model, v))
                )
        yield


def _refuse_to_read(model: Any, variable: Any) -> NoReturn:
    raise TrainingError(
        f"A step of {type(model).__name__} reads {variable.path} from the model; on JAX it has no "
        "value there while it is trained.",
        remedy="Take it from the state that the step is given, or compute with stateless_call and "
        "stateless_compute_loss.",
    )
