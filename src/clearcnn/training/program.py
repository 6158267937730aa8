"""The compiled program: whole epochs of training and validation in one XLA computation.

Its inner step is the model's own `train_step`, which on the JAX backend is a pure function of the
model's state, so losses, sample weights, metrics, regularisers and custom steps keep Keras's
meaning. Full batches run in a `lax.scan`; a smaller last batch is one more call of the step, so
that it counts exactly.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import keras
from jax import lax

from clearcnn.training import keras_state
from clearcnn.training.cpu_kernels import loss_in_cpu_forms
from clearcnn.training.devices import replicated_sharding, share_batch
from clearcnn.training.divergence import is_finite
from clearcnn.training.keras_state import State
from clearcnn.training.rescaling_values import Constants, constants_in_place
from clearcnn.training.train_step import empty_variables, run_step
from clearcnn.types import Batch, PyTree

Validation = tuple[Batch, jax.Array] | None
_Step = Callable[[State, jax.Array], tuple[State, dict[str, PyTree]]]
_Carry = tuple[jax.Array, jax.Array, State, dict[str, jax.Array]]


@dataclass(frozen=True)
class ProgramSizes:
    """The sizes that a program is compiled for.

    Attributes:
      num_samples, batch_size: of the training data.
      num_validation, validation_batch_size: of the validation data; 0 without any.
      chunk: the most epochs that one call may run.
    """

    num_samples: int
    batch_size: int
    num_validation: int
    validation_batch_size: int
    chunk: int


def compile_epochs(model: keras.Model, sizes: ProgramSizes) -> jax.stages.Wrapped:
    """Return the jitted function that runs epochs.

    Args:
      model: a compiled and built `keras.Model` on the JAX backend.
      sizes: static.
    Returns:
      `run(state, fresh_metrics, constants, data, validation, orders, num_epochs)`, which returns
      (state, logs, num_good, num_run): `state` is as of `keras_state.read_state`; `constants` as
      of `read_constants`; `data` is (x, y, sample_weight) with the samples on the first axis;
      `validation` is such data and int32 (num_validation,), the rows of it to validate on, or
      None; `orders` is int32 (chunk, num_samples), the rows of `data` in the order of each
      epoch; `num_epochs` <= chunk is the number of epochs to run. Each log is float32 (chunk,),
      zero from `num_run` on. An epoch that ends in NaN or infinity is the last: `num_run` counts
      it, `num_good` does not, and `state` is that of the epoch before.
    """

    @jax.jit
    def run_epoch(
        state: State,
        fresh: list[jax.Array],
        constants: Constants,
        data: Batch,
        validation: Validation,
        order: jax.Array,
    ) -> tuple[State, dict[str, jax.Array]]:
        with constants_in_place(model, constants):
            return _run_epoch(model, sizes, state, fresh, data, validation, order)

    def run(
        state: State,
        fresh: list[jax.Array],
        constants: Constants,
        data: Batch,
        validation: Validation,
        orders: jax.Array,
        num_epochs: jax.Array,
    ) -> tuple[State, dict[str, jax.Array], jax.Array, jax.Array]:
        def goes_on(carry: _Carry) -> jax.Array:
            num_good, num_run, *_ = carry
            return (num_run < num_epochs) & (num_good == num_run)

        def one_epoch(carry: _Carry) -> _Carry:
            num_good, epoch, before, logs = carry
            state, row = run_epoch(before, fresh, constants, data, validation, orders[epoch])
            is_good = is_finite(state, row)
            state = jax.tree.map(lambda new, old: jnp.where(is_good, new, old), state, before)
            logs = {name: logs[name].at[epoch].set(row[name]) for name in logs}
            return num_good + is_good.astype(num_good.dtype), epoch + 1, state, logs

        with _cpu_forms(model), empty_variables(model):
            # Traced once here for the names of the logs; the loop reuses this trace.
            _, row = jax.eval_shape(run_epoch, state, fresh, constants, data, validation, orders[0])
            logs = {name: jnp.zeros(sizes.chunk, log.dtype) for name, log in row.items()}
            zero = jnp.int32(0)
            num_good, num_run, state, logs = lax.while_loop(
                goes_on, one_epoch, (zero, zero, state, logs)
            )
            return state, logs, num_good, num_run

    return jax.jit(run, out_shardings=replicated_sharding())


def compile_steps(
    model: keras.Model, num_samples: int, batch_size: int, *, training: bool
) -> jax.stages.Wrapped:
    """Return the jitted function that steps once through the samples it is given.

    Args:
      model: a compiled and built `keras.Model` on the JAX backend.
      num_samples, batch_size: of the samples; a smaller last batch counts exactly.
      training: whether to train on them or to validate.
    Returns:
      `run(state, data) -> (state, logs)`: for training, `state` is as of
      `keras_state.read_state`, else without the optimizer's variables; `logs` are those of the
      last step.
    """

    def run(state: State, data: Batch) -> tuple[State, dict[str, PyTree]]:
        step = _make_step(model, data, training=training)
        with _cpu_forms(model), empty_variables(model):
            all_rows = jnp.arange(num_samples, dtype=jnp.int32)
            return _scan_batches(step, state, num_samples, batch_size, all_rows)

    return jax.jit(run, out_shardings=replicated_sharding())


def _run_epoch(
    model: keras.Model,
    sizes: ProgramSizes,
    state: State,
    fresh: list[jax.Array],
    data: Batch,
    validation: Validation,
    order: jax.Array,
) -> tuple[State, dict[str, jax.Array]]:
    trainable, other, optimizer, _ = state
    state, logs = _scan_batches(
        _make_step(model, data, training=True),
        (trainable, other, optimizer, fresh),
        sizes.num_samples,
        sizes.batch_size,
        order,
    )
    epoch_logs = keras_state.metric_results(model, state, logs)
    if validation is not None and sizes.num_validation:
        trainable, other, optimizer, _ = state
        held_out, validation_rows = validation
        tested, logs = _scan_batches(
            _make_step(model, held_out, training=False),
            (trainable, other, fresh),
            sizes.num_validation,
            sizes.validation_batch_size,
            validation_rows,
        )
        state = (*tested[:2], optimizer, tested[2])
        results = keras_state.metric_results(model, state, logs)
        epoch_logs.update({f"val_{name}": value for name, value in results.items()})
    return state, epoch_logs


def _make_step(model: keras.Model, data: Batch, *, training: bool) -> _Step:
    """Return a step on some rows of the data."""

    def step(state: State, rows: jax.Array) -> tuple[State, dict[str, PyTree]]:
        batch = share_batch(jax.tree.map(lambda a: a[rows], data))
        logs, state = run_step(model, state, batch, training=training)
        return state, logs

    return step


def _scan_batches(
    step: _Step, state: State, num_samples: int, batch_size: int, order: jax.Array
) -> tuple[State, dict[str, PyTree]]:
    """Step through the samples in `order`; return the last state and the last step's logs."""
    num_full = num_samples // batch_size
    logs: dict[str, PyTree] = {}
    if num_full:
        full = order[: num_full * batch_size].reshape(num_full, batch_size)
        state, all_logs = lax.scan(step, state, full)
        logs = jax.tree.map(lambda log: log[-1], all_logs)
    if num_samples % batch_size:
        state, logs = step(state, order[num_full * batch_size :])
    return state, logs


@contextmanager
def _cpu_forms(model: keras.Model) -> Iterator[None]:
    """While tracing on a CPU, compute a loss that is Keras's own with the CPU kernels.

    Keras's `train_step` differentiates `self.compute_loss_and_updates`. An attribute of the
    instance hides the method, and is deleted afterwards, so the model stays as it was.
    """
    if jax.default_backend() != "cpu" or not keras_state.is_keras_own(
        model, "compute_loss_and_updates"
    ):
        yield
        return
    object.__setattr__(model, "compute_loss_and_updates", loss_in_cpu_forms(model))
    try:
        yield
    finally:
        object.__delattr__(model, "compute_loss_and_updates")
