"""Call a model's `train_step` and `test_step` as Keras does on JAX, with checked results.

While Keras trains, a model computes with the state that its steps are given, and its variables
hold no values. A step that reads or assigns a variable itself would be compiled with the value of
that moment. So the variables are emptied while a step is traced, and reading one is an error.
"""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import NoReturn

import jax
import jax.numpy as jnp
import keras

from clearcnn.errors import TrainingError
from clearcnn.language import join, say
from clearcnn.training import keras_state
from clearcnn.training.keras_state import State
from clearcnn.types import Batch, PyTree

_OPTIMIZER = say("optimizer's")
_GROUPS = (say("trainable"), say("non-trainable"), _OPTIMIZER, say("metrics'"))


def check_steps(model: keras.Model) -> None:
    """Reject a model whose training is more than its two steps.

    Raises:
      TrainingError: the model has no optimizer, overrides parts of Keras's loop, or has steps that
        do not take (state, data).
    """
    name = type(model).__name__
    if model.optimizer is None:
        raise TrainingError(
            say("{name} is compiled without an optimizer.", name=name),
            remedy=say("Give model.compile an optimizer."),
        )
    if replaced := keras_state.overridden_loop_methods(model):
        raise TrainingError(
            say(
                "{name} overrides {replaced}; clearcnn.fit calls train_step and test_step in "
                "a loop of its own.",
                name=name,
                replaced=", ".join(replaced),
            ),
            remedy=say("Move the work to train_step or test_step, or use model.fit."),
        )
    for method in ("train_step", "test_step"):
        signature = inspect.signature(getattr(model, method))
        try:
            signature.bind("state", "data")
        except TypeError as error:
            raise TrainingError(
                say(
                    "{name}.{method}{signature} does not take (state, data), as it must on JAX.",
                    name=name,
                    method=method,
                    signature=signature,
                ),
                remedy=say("Write it as in Keras's guide on custom steps with JAX."),
            ) from error


def run_step(
    model: keras.Model, state: State, batch: Batch, *, training: bool
) -> tuple[dict[str, PyTree], State]:
    """Trace one step.

    Args:
      model: a compiled and built `keras.Model`.
      state: as `keras_state.read_state` returns it, without the optimizer's variables if training
        is False.
      batch: (x, y, sample_weight).
    Returns:
      (logs, state) of the step.
    Raises:
      TrainingError: the logs are not a dict, or the state differs in structure, shape or dtype
        from the one that was given.
    """
    method = "train_step" if training else "test_step"
    with _RejectAssignments(model):
        result = getattr(model, method)(state, keras.utils.pack_x_y_sample_weight(*batch))
    name = f"{type(model).__name__}.{method}"
    if not isinstance(result, tuple) or len(result) != 2 or not isinstance(result[0], dict):
        raise TrainingError(
            say(
                "{name} returns {result}; (logs, state) with a dict of logs was expected.",
                name=name,
                result=_describe(result),
            ),
            remedy=say("Return the metrics by name, and the state."),
        )
    logs, after = result
    groups = [group for group in _GROUPS if training or group != _OPTIMIZER]
    if len(after) != len(groups):
        raise TrainingError(
            say(
                "{name} returns a state of {number} groups; {num_groups} were expected: "
                "{groups} variables.",
                name=name,
                number=len(after),
                num_groups=len(groups),
                groups=join(", ", groups),
            ),
            remedy=say("Return the groups of the state it is given, in the same order."),
        )
    return logs, tuple(map(_check_group, [name] * len(groups), groups, state, after))


def _check_group(
    name: str, group: str, before: Sequence[jax.Array], given: Sequence[jax.Array]
) -> list[jax.Array]:
    after = list(given)
    if len(after) != len(before):
        wrong = say("{number} values for {expected}", number=len(after), expected=len(before))
    else:
        pairs = zip(map(_describe_array, before), map(_describe_array, after), strict=True)
        changed = [
            say("{found} for {expected}", found=is_now, expected=was)
            for was, is_now in pairs
            if is_now != was
        ]
        if not changed:
            return after
        wrong = changed[0]
    raise TrainingError(
        say(
            "{name} returns other {group} variables than it was given: {wrong}.",
            name=name,
            group=group,
            wrong=wrong,
        ),
        remedy=say("Return one value for each variable, in order, of the same shape and dtype."),
    )


def _describe_array(array: jax.Array) -> str:
    return f"{jnp.result_type(array)}{jnp.shape(array)}"


def _describe(result: object) -> str:
    if isinstance(result, tuple) and len(result) == 2:
        return say("logs that are a {name}", name=type(result[0]).__name__)
    return say("a {kind}", kind=type(result).__name__)


class _RejectAssignments(keras.StatelessScope):  # type: ignore[misc]
    """The scope of a step: Keras asks it for variables' values, and passes it assignments."""

    def __init__(self, model: keras.Model) -> None:
        super().__init__()
        self._model = model
        self._own = {id(v) for group in keras_state.variables(model) for v in group}

    def get_current_value(self, variable: keras.Variable) -> None:
        if id(variable) in self._own:
            _reject_read(self._model, variable)

    def add_update(self, update: tuple[keras.Variable, jax.Array]) -> None:
        name = type(self._model).__name__
        raise TrainingError(
            say(
                "A step of {name} assigns to {path}; on JAX a step changes no variable, so "
                "the value would be lost.",
                name=name,
                path=update[0].path,
            ),
            remedy=say(
                "Use stateless_update_state, stateless_apply or stateless_call, and return "
                "the value in the state; a second optimizer beside model.optimizer is not "
                "supported."
            ),
        )


@contextmanager
def empty_variables(model: keras.Model) -> Iterator[None]:
    """While a step is traced, raise where it reads a model variable instead of its state."""
    with ExitStack() as stack:
        for group in keras_state.variables(model):
            for variable in group:
                stack.enter_context(keras_state.emptied(variable, lambda v: _reject_read(model, v)))
        yield


def _reject_read(model: keras.Model, variable: keras.Variable) -> NoReturn:
    raise TrainingError(
        say(
            "A step of {name} reads {path} from the model; on JAX it has no value there "
            "during training.",
            name=type(model).__name__,
            path=variable.path,
        ),
        remedy=say(
            "Take it from the state that the step is given, or compute with stateless_call "
            "and stateless_compute_loss."
        ),
    )
