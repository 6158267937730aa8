"""`fit`: `keras.Model.fit` as one compiled program."""

import time
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np

from clearcnn.errors import TrainingError
from clearcnn.training import state as keras_state
from clearcnn.training.arrays import FitArrays, arrange
from clearcnn.training.callbacks import check_callbacks, read_logs_only
from clearcnn.training.program import Plan, compile_epochs

_LOOK_EVERY_SECONDS = 0.1
_LARGEST_ORDERS_BYTES = 64 * 2**20


def fit(
    model: Any,
    x: Any = None,
    y: Any = None,
    batch_size: int | None = None,
    epochs: int = 1,
    verbose: str | int = "auto",
    callbacks: Any = None,
    validation_split: float = 0.0,
    validation_data: Any = None,
    shuffle: bool | str = True,
    class_weight: Mapping[int, float] | None = None,
    sample_weight: Any = None,
    initial_epoch: int = 0,
    *,
    seed: int | None = None,
    **unsupported: Any,
) -> Any:
    """Train a compiled Keras model, as `model.fit` does, in one XLA program.

    The trained weights are left in the model. With the same initial weights and the same order
    of samples, history and weights equal those of `model.fit` to float tolerance.

    Args:
      model: a compiled `keras.Model` on the JAX backend; any optimizer, loss and metrics.
      x, y, batch_size, epochs, verbose, callbacks, validation_split, validation_data, shuffle,
        class_weight, sample_weight, initial_epoch: as for `keras.Model.fit`; x, y and
        sample_weight are arrays, or lists, tuples or dicts of arrays. Callbacks live on epochs.
      seed: int for the order of the samples. None draws it from NumPy's global generator, as
        Keras does. Dropout and augmentation draw from the seeds of their own layers.
    Returns:
      `keras.callbacks.History`.
    Raises:
      TrainingError: what cannot be honoured (generators, callbacks on batches, eager running,
        other arguments of `model.fit`), before anything is trained.
    """
    _refuse(model, unsupported)
    batch_size = _positive("batch_size", 32 if batch_size is None else batch_size)
    arrays = arrange(x, y, sample_weight, class_weight, validation_split, validation_data)
    keras_state.build(model, jax.tree.map(lambda a: a[:1], arrays.train))
    callback_list = keras.callbacks.CallbackList(
        callbacks,
        add_history=True,
        add_progbar=verbose != 0,
        verbose=verbose,
        epochs=epochs,
        steps=-(-arrays.num_train // batch_size),
        model=model,
    )
    check_callbacks(callback_list.callbacks)
    if epochs > initial_epoch:
        shuffler = _Shuffler(arrays.num_train, batch_size, shuffle, seed)
        _Run(model, arrays, batch_size, epochs, callback_list, shuffler).train(initial_epoch)
    else:
        callback_list.on_train_begin()
        callback_list.on_train_end()
    return model.history


class _Run:
    """One fit under way: its program, its state, and the epochs done so far."""

    def __init__(
        self,
        model: Any,
        arrays: FitArrays,
        batch_size: int,
        epochs: int,
        callbacks: Any,
        shuffler: "_Shuffler",
    ) -> None:
        self.model = model
        self.epochs = epochs
        self.callbacks = callbacks
        self.shuffler = shuffler
        self.num_steps = -(-arrays.num_train // batch_size)
        self.replays = read_logs_only(callbacks.callbacks)
        self.looks = any(
            not isinstance(callback, keras.callbacks.History) for callback in callbacks.callbacks
        )
        most = max(1, _LARGEST_ORDERS_BYTES // (4 * arrays.num_train))
        chunk = min(epochs, most) if self.replays else 1
        self.plan = Plan(arrays.num_train, batch_size, arrays.num_validation, batch_size, chunk)
        self.data = jax.tree.map(jnp.asarray, (arrays.train, arrays.validation))
        model.reset_metrics()
        self.state = keras_state.read_state(model)
        self.fresh = self.state[3]
        program = compile_epochs(model, self.plan)
        orders = jnp.zeros((chunk, arrays.num_train), jnp.int32)
        self.program = program.lower(self.state, self.fresh, *self.data, orders, 1).compile()

    def train(self, initial_epoch: int) -> None:
        """Run chunks of epochs until done or told to stop; the state always comes back."""
        model, callbacks = self.model, self.callbacks
        model.stop_training = False
        callbacks.on_train_begin()
        self.state = keras_state.read_state(model)
        epoch = keras_state.first_epoch(model, initial_epoch)
        length, logs = 1 if self.looks else self.plan.chunk, {}
        try:
            while epoch < self.epochs and not model.stop_training:
                length = min(length, self.epochs - epoch)
                if self.replays:
                    logs, seconds = self._run_chunk(epoch, length)
                    wanted = int(length * _LOOK_EVERY_SECONDS / max(seconds, 1e-6))
                    length = max(1, min(wanted, self.plan.chunk)) if self.looks else length
                    epoch += len(logs)
                    logs = logs[-1]
                else:
                    logs = self._run_epoch(epoch)
                    epoch += 1
        finally:
            keras_state.write_state(model, self.state)
            model.optimizer.finalize_variable_values(model.trainable_weights)
        callbacks.on_train_end(logs)

    def _run_chunk(self, epoch: int, length: int) -> tuple[list[dict[str, float]], float]:
        start = time.perf_counter()
        columns = self._compute(length)
        seconds = time.perf_counter() - start
        rows = [{name: float(c[i]) for name, c in columns.items()} for i in range(length)]
        for offset, row in enumerate(rows):
            self.callbacks.on_epoch_begin(epoch + offset)
            self.callbacks.on_train_batch_end(self.num_steps - 1, row)
            self.callbacks.on_epoch_end(epoch + offset, row)
        return rows, seconds

    def _run_epoch(self, epoch: int) -> dict[str, float]:
        """Run one epoch around callbacks that may read or change the model."""
        self.callbacks.on_epoch_begin(epoch)
        self.state = keras_state.read_state(self.model)
        logs = {name: float(column[0]) for name, column in self._compute(1).items()}
        keras_state.write_state(self.model, self.state)
        self.callbacks.on_train_batch_end(self.num_steps - 1, logs)
        self.callbacks.on_epoch_end(epoch, logs)
        self.state = keras_state.read_state(self.model)
        return logs

    def _compute(self, length: int) -> dict[str, np.ndarray]:
        orders = self.shuffler.draw(length, self.plan.chunk)
        state, logs = self.program(self.state, self.fresh, *self.data, orders, length)
        columns = {name: np.asarray(column) for name, column in logs.items()}
        self.state = state
        return columns


class _Shuffler:
    """Draws the order of the samples, epoch by epoch, the same for one seed in any chunks."""

    def __init__(
        self, num_samples: int, batch_size: int, shuffle: bool | str, seed: int | None
    ) -> None:
        self.num_samples = num_samples
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.random: Any = np.random if seed is None else np.random.default_rng(seed)

    def draw(self, length: int, capacity: int) -> Any:
        """Give int32 (capacity, num_samples), of which the first `length` rows are drawn."""
        orders = np.zeros((capacity, self.num_samples), np.int32)
        for row in orders[:length]:
            row[:] = self._draw_one()
        return jnp.asarray(orders)

    def _draw_one(self) -> Any:
        if self.shuffle == "batch":
            starts = range(0, self.num_samples, self.batch_size)
            batches = (
                np.arange(start, min(start + self.batch_size, self.num_samples)) for start in starts
            )
            return np.concatenate([self.random.permutation(batch) for batch in batches])
        if self.shuffle:
            return self.random.permutation(self.num_samples)
        return np.arange(self.num_samples)


def _refuse(model: Any, unsupported: dict[str, Any]) -> None:
    if not isinstance(model, keras.Model):
        raise TrainingError(
            f"model is a {type(model).__name__}; a compiled keras.Model was expected.",
            remedy="Pass the model first: clearcnn.fit(model, x, y).",
        )
    if not model.compiled:
        raise TrainingError(
            f"The model {model.name!r} is not compiled, so it has no loss and no optimizer.",
            remedy="Call model.compile(optimizer=..., loss=..., metrics=...) first.",
        )
    if model.run_eagerly:
        raise TrainingError(
            f"The model {model.name!r} is compiled with run_eagerly=True; clearcnn.fit is one "
            "compiled program.",
            remedy="Compile it without run_eagerly, or use model.fit to debug it.",
        )
    if unsupported:
        names = ", ".join(f"{name}=" for name in sorted(unsupported))
        raise TrainingError(
            f"clearcnn.fit does not take {names.removesuffix('=')}.",
            remedy="Leave it out, or use model.fit.",
        )


def _positive(name: str, value: int) -> int:
    if value < 1:
        raise TrainingError(
            f"{name}={value} is out of range: at least 1.", remedy="Give 1 or more."
        )
    return int(value)
