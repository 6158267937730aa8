"""The compiled program: whole epochs of training and validation in one XLA computation.

Its inner step is the model's own `train_step`, which on the JAX backend is a pure function of the
model's state, so losses, sample weights, metrics, regularisers and custom steps keep Keras's
meaning. Where a step can count the first samples of a batch alone, the number of samples is an
input, and one step serves full and last batches; otherwise a smaller last batch is one more call
of the step.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import jax
import jax.numpy as jnp
import keras
from jax import lax

from clearcnn.training import keras_state
from clearcnn.training.counted_step import run_counted_step
from clearcnn.training.cpu_kernels import loss_in_cpu_forms
from clearcnn.training.devices import replicated_sharding, share_batch
from clearcnn.training.divergence import is_finite
from clearcnn.training.keras_state import State
from clearcnn.training.program_sizes import Batches, ProgramSizes, exact_batches
from clearcnn.training.rescaling_values import Constants, constants_in_place
from clearcnn.training.scaled_bytes import take_rows
from clearcnn.training.schedule_values import Numbers, schedule_in_place
from clearcnn.training.train_step import empty_variables, run_step
from clearcnn.types import Batch, PyTree

Validation = tuple[Batch, jax.Array] | None
Inputs = tuple[Constants, Numbers]
_StepLogs = dict[str, PyTree] | None
_Carry = tuple[jax.Array, jax.Array, State, dict[str, jax.Array]]


def compile_epochs(model: keras.Model, sizes: ProgramSizes) -> jax.stages.Wrapped:
    """Return the jitted function that runs epochs.

    Args:
      model: a compiled and built `keras.Model` on the JAX backend.
      sizes: static.
    Returns:
      `run(state, fresh_metrics, inputs, data, validation, counts, orders, num_epochs)`, which
      returns (state, logs, num_good, num_run): `state` is as of `keras_state.read_state`; `inputs`
      are as of `read_constants` and `read_schedule`; `data` is (x, y, sample_weight) with the
      samples on the first axis, where x may be `ScaledBytes`; `validation` is such data and int32
      (rows,), the rows of it to validate on, or None; `counts` is int32 (2,), the numbers of
      samples to train and to validate on; `orders` is int32 (chunk, rows), the rows of `data` in
      the order of each epoch; `num_epochs` <= chunk is the number of epochs to run. Each log is
      float32 (chunk,), zero from `num_run` on. An epoch that ends in NaN or infinity is the last:
      `num_run` counts it, `num_good` does not, and `state` is that of the epoch before.
    """

    @jax.jit
    def run_epoch(
        state: State,
        fresh: list[jax.Array],
        inputs: Inputs,
        data: Batch,
        validation: Validation,
        counts: jax.Array,
        order: jax.Array,
    ) -> tuple[State, dict[str, jax.Array]]:
        constants, numbers = inputs
        with constants_in_place(model, constants), schedule_in_place(model, numbers):
            return _run_epoch(model, sizes, state, fresh, data, validation, counts, order)

    def run(
        state: State,
        fresh: list[jax.Array],
        inputs: Inputs,
        data: Batch,
        validation: Validation,
        counts: jax.Array,
        orders: jax.Array,
        num_epochs: jax.Array,
    ) -> tuple[State, dict[str, jax.Array], jax.Array, jax.Array]:
        given = inputs, data, validation, counts

        def goes_on(carry: _Carry) -> jax.Array:
            num_good, num_run, *_ = carry
            return (num_run < num_epochs) & (num_good == num_run)

        def one_epoch(carry: _Carry) -> _Carry:
            num_good, epoch, before, logs = carry
            state, row = run_epoch(before, fresh, *given, orders[epoch])
            is_good = is_finite(state, row)
            state = jax.tree.map(lambda new, old: jnp.where(is_good, new, old), state, before)
            logs = {name: logs[name].at[epoch].set(row[name]) for name in logs}
            return num_good + is_good.astype(num_good.dtype), epoch + 1, state, logs

        with _cpu_forms(model), empty_variables(model):
            # Traced once here for the names of the logs; the loop reuses this trace.
            _, row = jax.eval_shape(run_epoch, state, fresh, *given, orders[0])
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

    batches = exact_batches(num_samples, batch_size)

    def run(state: State, data: Batch) -> tuple[State, dict[str, PyTree]]:
        step = _Step(model, data, training=training)
        with _cpu_forms(model), empty_variables(model):
            all_rows = jnp.arange(num_samples, dtype=jnp.int32)
            state, logs = _step_through(step, batches, state, all_rows, jnp.int32(num_samples))
            assert logs is not None
            return state, logs

    return jax.jit(run, out_shardings=replicated_sharding())


def _run_epoch(
    model: keras.Model,
    sizes: ProgramSizes,
    state: State,
    fresh: list[jax.Array],
    data: Batch,
    validation: Validation,
    counts: jax.Array,
    order: jax.Array,
) -> tuple[State, dict[str, jax.Array]]:
    trainable, other, optimizer, _ = state
    step = _Step(model, data, training=True)
    state = trainable, other, optimizer, fresh
    state, logs = _step_through(step, sizes.training, state, order, counts[0])
    epoch_logs = keras_state.metric_results(model, state, logs)
    if validation is not None and sizes.validation is not None:
        trainable, other, optimizer, _ = state
        held_out, rows = validation
        step = _Step(model, held_out, training=False)
        state = trainable, other, fresh
        tested, logs = _step_through(step, sizes.validation, state, rows, counts[1])
        state = (*tested[:2], optimizer, tested[2])
        results = keras_state.metric_results(model, state, logs)
        epoch_logs.update({f"val_{name}": value for name, value in results.items()})
    return state, epoch_logs


class _Step:
    """A step on some rows of the data."""

    def __init__(self, model: keras.Model, data: Batch, *, training: bool) -> None:
        self._model, self._data, self._training = model, data, training

    def run(self, state: State, rows: jax.Array) -> tuple[State, dict[str, PyTree]]:
        logs, state = run_step(self._model, state, self._select(rows), training=self._training)
        return state, logs

    def run_counted(self, state: State, rows: jax.Array, count: jax.Array) -> State:
        """Step on the first `count` of the rows."""
        batch = self._select(rows)
        return run_counted_step(self._model, state, batch, count, training=self._training)

    def _select(self, rows: jax.Array) -> Batch:
        return share_batch(take_rows(self._data, rows))


def _step_through(
    step: _Step, batches: Batches, state: State, order: jax.Array, count: jax.Array
) -> tuple[State, _StepLogs]:
    """Step through the samples in `order`.

    Returns:
      The last state, and the last step's logs; None if samples are counted, which is done only
      where the logs are the compiled metrics.
    """
    if not batches.is_counted:
        return _step_through_exactly(step, batches, state, order)
    size, last = batches.batch_size, batches.last

    def rows_of(number: jax.Array, length: int) -> jax.Array:
        return lax.dynamic_slice(order, (number * size,), (length,))

    def step_counted(number: jax.Array, state: State) -> State:
        here = jnp.minimum(count - number * size, size)
        return step.run_counted(state, rows_of(number, size), here)

    def step_full(number: jax.Array, state: State) -> State:
        return step.run(state, rows_of(number, size))[0]

    def step_last(state: State) -> State:
        return step.run_counted(state, rows_of(num_full, last), count % size)

    num_full = count // size
    if not last:
        return lax.fori_loop(0, (count + size - 1) // size, step_counted, state), None
    state = lax.fori_loop(0, num_full, step_full, state)
    return lax.cond(count % size > 0, step_last, lambda state: state, state), None


def _step_through_exactly(
    step: _Step, batches: Batches, state: State, order: jax.Array
) -> tuple[State, _StepLogs]:
    num_full = batches.num_rows // batches.batch_size
    logs: dict[str, PyTree] = {}
    if num_full:
        full = order[: num_full * batches.batch_size].reshape(num_full, batches.batch_size)
        state, all_logs = lax.scan(step.run, state, full)
        logs = jax.tree.map(lambda log: log[-1], all_logs)
    if batches.last:
        state, logs = step.run(state, order[num_full * batches.batch_size :])
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
