"""The compiled program: whole epochs of training and validation in one XLA computation.

Its inner step is the model's own `train_step`, which on the JAX backend is a pure function of the
model's state, so losses, sample weights, metrics, regularisers and custom steps keep Keras's
meaning. Full batches run in a `lax.scan`; a smaller last batch is one more call of the step, so
that it counts exactly.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from clearcnn.training import keras_state
from clearcnn.training.cpu_kernels import loss_in_cpu_forms
from clearcnn.training.devices import share_batch, whole_everywhere
from clearcnn.training.divergence import is_finite
from clearcnn.training.rescaling_values import constants_in_place
from clearcnn.training.train_step import empty_variables, is_keras_own, run_step

Arrays = Any
Logs = dict[str, jax.Array]


@dataclass(frozen=True)
class Plan:
    """What is static about a fit.

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


def compile_epochs(model: Any, plan: Plan) -> Any:
    """Make the jitted function that runs epochs.

    Args:
      model: a compiled and built `keras.Model` on the JAX backend.
      plan: the static sizes.
    Returns:
      `run(state, fresh_metrics, constants, data, validation, orders, num_epochs)`, which gives
      (state, logs, num_good, num_run): `state` as `keras_state.read_state` gives it; `constants` as
      `read_constants` does; `data` is (x, y, sample_weight) with the samples on the first axis;
      `validation` is such data and int32 (num_validation,), the rows of it to validate on, or
      None; `orders` is int32 (chunk, num_samples), the rows of `data` in the order of each
      epoch; `num_epochs` <= chunk says how many to run. Each log is float32
      (chunk,), zero from `num_run` on. An epoch that ends in numbers that are not finite is the
      last: `num_run` counts it and `num_good` does not, and `state` is that of the epoch before.
    """

    @jax.jit
    def run_epoch(
        state: Any, fresh: Any, constants: Any, data: Arrays, validation: Arrays, order: Any
    ) -> Any:
        with constants_in_place(model, constants):
            return _run_epoch(model, plan, state, fresh, data, validation, order)

    def run(
        state: Any,
        fresh: Any,
        constants: Any,
        data: Arrays,
        validation: Arrays,
        orders: Any,
        num_epochs: Any,
    ) -> Any:
        def goes_on(carry: Any) -> Any:
            num_good, num_run, *_ = carry
            return (num_run < num_epochs) & (num_good == num_run)

        def one_epoch(carry: Any) -> Any:
            num_good, epoch, before, logs = carry
            state, row = run_epoch(before, fresh, constants, data, validation, orders[epoch])
            is_good = is_finite(state, row)
            state = jax.tree.map(lambda new, old: jnp.where(is_good, new, old), state, before)
            logs = {name: logs[name].at[epoch].set(row[name]) for name in logs}
            return num_good + is_good.astype(num_good.dtype), epoch + 1, state, logs

        with _cpu_forms(model), empty_variables(model):
            # Traced once here for the names of the logs, and found again by jit in the loop.
            _, row = jax.eval_shape(run_epoch, state, fresh, constants, data, validation, orders[0])
            logs = {name: jnp.zeros(plan.chunk, log.dtype) for name, log in row.items()}
            zero = jnp.int32(0)
            num_good, num_run, state, logs = lax.while_loop(
                goes_on, one_epoch, (zero, zero, state, logs)
            )
            return state, logs, num_good, num_run

    return jax.jit(run, out_shardings=whole_everywhere())


def compile_steps(model: Any, num_samples: int, batch_size: int, *, training: bool) -> Any:
    """Make the jitted function that walks once through samples that are given to it.

    Args:
      model: a compiled and built `keras.Model` on the JAX backend.
      num_samples, batch_size: of the samples; a smaller last batch counts exactly.
      training: whether to train on them or to validate.
    Returns:
      `run(state, data) -> (state, logs)`: for training, `state` as `keras_state.read_state`
      gives it, else without the optimizer's part; `logs` are those of the last step.
    """

    def run(state: Any, data: Arrays) -> Any:
        def walk(state: Any, rows: Any) -> Any:
            logs, state = run_step(model, state, _take(data, rows), training=training)
            return state, logs

        with _cpu_forms(model), empty_variables(model):
            everything = jnp.arange(num_samples, dtype=jnp.int32)
            return _walk(walk, state, num_samples, batch_size, everything)

    return jax.jit(run, out_shardings=whole_everywhere())


def _run_epoch(
    model: Any, plan: Plan, state: Any, fresh: Any, data: Arrays, validation: Arrays, order: Any
) -> tuple[Any, Logs]:
    trainable, other, optimizer, _ = state

    def train(state: Any, rows: Any) -> Any:
        logs, state = run_step(model, state, _take(data, rows), training=True)
        return state, logs

    state, logs = _walk(
        train, (trainable, other, optimizer, fresh), plan.num_samples, plan.batch_size, order
    )
    epoch_logs = keras_state.metric_results(model, state, logs)
    if plan.num_validation:
        trainable, other, optimizer, _ = state
        held_out, validation_rows = validation

        def test(state: Any, rows: Any) -> Any:
            logs, state = run_step(model, state, _take(held_out, rows), training=False)
            return state, logs

        tested, logs = _walk(
            test,
            (trainable, other, fresh),
            plan.num_validation,
            plan.validation_batch_size,
            validation_rows,
        )
        state = (*tested[:2], optimizer, tested[2])
        results = keras_state.metric_results(model, state, logs)
        epoch_logs.update({f"val_{name}": value for name, value in results.items()})
    return state, epoch_logs


def _take(data: Arrays, rows: Any) -> Arrays:
    return share_batch(jax.tree.map(lambda a: a[rows], data))


def _walk(step: Any, state: Any, num_samples: int, batch_size: int, order: Any) -> Any:
    """Step through the samples in `order`; give the last state and the last step's logs."""
    num_full = num_samples // batch_size
    logs = None
    if num_full:
        full = order[: num_full * batch_size].reshape(num_full, batch_size)
        state, all_logs = lax.scan(step, state, full)
        logs = jax.tree.map(lambda log: log[-1], all_logs)
    if num_samples % batch_size:
        state, logs = step(state, order[num_full * batch_size :])
    return state, logs


@contextmanager
def _cpu_forms(model: Any) -> Iterator[None]:
    """While tracing on a CPU, differentiate a loss that is Keras's own in its CPU forms.

    Keras's `train_step` differentiates `self.compute_loss_and_updates`; an attribute of the
    instance stands before the method and is taken away again, so the model stays as it was.
    """
    if jax.default_backend() != "cpu" or not is_keras_own(model, "compute_loss_and_updates"):
        yield
        return
    object.__setattr__(model, "compute_loss_and_updates", loss_in_cpu_forms(model))
    try:
        yield
    finally:
        object.__delattr__(model, "compute_loss_and_updates")
