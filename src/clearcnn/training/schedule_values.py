"""The numbers of a learning-rate schedule, passed to a program as inputs.

A recipe's cycle is as long as its training. As a constant of the program, its length would make
each number of epochs or of images compile its own; as an input, one program serves all.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import jax
import jax.numpy as jnp
import keras

from clearcnn.training import keras_state

_SCHEDULES = keras.optimizers.schedules

# Keras's schedules that compute with their numbers and never branch on them in Python.
KINDS = (
    _SCHEDULES.CosineDecay,
    _SCHEDULES.ExponentialDecay,
    _SCHEDULES.InverseTimeDecay,
    _SCHEDULES.PolynomialDecay,
)

Numbers = dict[str, jax.Array]


def read_schedule(model: keras.Model) -> Numbers:
    """Return the numbers of the optimizer's schedule by attribute; {} if it has none of `KINDS`."""
    schedule = keras_state.learning_rate_schedule(model)
    if type(schedule) not in KINDS:
        return {}
    # Python's types decide about Keras's dtypes, so an int stays an integer.
    return {name: jnp.asarray(value) for name, value in vars(schedule).items() if is_number(value)}


def is_number(value: object) -> bool:
    """Tell whether a value of a schedule is an input of the program: an int or a float."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@contextmanager
def schedule_in_place(model: keras.Model, numbers: Numbers) -> Iterator[None]:
    """While tracing, let the schedule compute with `numbers`; it stays as it was."""
    schedule = keras_state.learning_rate_schedule(model)
    if not numbers:
        yield
        return
    own = {name: vars(schedule)[name] for name in numbers}
    vars(schedule).update(numbers)
    try:
        yield
    finally:
        vars(schedule).update(own)
