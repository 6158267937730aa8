"""The loop of a fit: chunks of epochs, and the callbacks between them."""

import time
from dataclasses import replace

import jax
import keras
import numpy as np

from clearcnn.training import keras_state
from clearcnn.training.callbacks import ends_at_nan, raises_at_nan, read_logs_only
from clearcnn.training.checkpointing import Checkpointer
from clearcnn.training.counted_step import can_count
from clearcnn.training.devices import fetch, place
from clearcnn.training.divergence import describe_divergence
from clearcnn.training.fingerprint import fingerprint_program
from clearcnn.training.fit_setup import FitSetup
from clearcnn.training.program_cache import obtain_program
from clearcnn.training.program_sizes import (
    ProgramSizes,
    counted_batches,
    even_batches,
    exact_batches,
    fill_up,
    fill_up_orders,
)
from clearcnn.training.rescaling_values import read_constants
from clearcnn.training.scaled_bytes import ScaledBytes, find_bytes
from clearcnn.training.schedule_values import read_schedule
from clearcnn.training.train_step import check_steps
from clearcnn.types import Batch, Logs, NumPyArray

PlacedArrays = dict[tuple[int, bool], jax.Array | ScaledBytes]
"""By the identity of an array in memory, and whether it is filled up."""

_CALLBACKS_EVERY_SECONDS = 0.1
# The most epochs that one call of the program runs, and the most memory for their orders.
_MOST_EPOCHS = 64
_LARGEST_ORDERS_BYTES = 8 * 2**20


class FitLoop:
    """One fit: its compiled program, the model's state, and its progress.

    Callbacks that may read or change the model are called after every epoch. If all callbacks only
    read logs, several epochs run at once, as many as take a tenth of a second, and their logs are
    replayed; without callbacks, up to 64 epochs run at once.

    Args:
      setup: of the fit.
      checkpointer: writes checkpoints and resumes from one; None does neither.
      placed: arrays of the data on the device, for fits that share them; this one adds its own.
    """

    def __init__(
        self,
        setup: FitSetup,
        checkpointer: Checkpointer | None = None,
        placed: PlacedArrays | None = None,
    ) -> None:
        model, callbacks = setup.model, setup.callbacks
        check_steps(model)
        self.setup = setup
        self.model, self.arrays, self.epochs = model, setup.arrays, setup.epochs
        self.callbacks = callbacks
        self.num_steps = -(-self.arrays.num_train // setup.batch_size)
        self.replays = read_logs_only(callbacks.callbacks)
        self.checkpointer = checkpointer
        self.has_callbacks = checkpointer is not None or any(
            type(c) is not keras.callbacks.History for c in callbacks.callbacks
        )
        self.finished: list[Logs] = []
        self.diverged: Logs | None = None
        model.reset_metrics()
        self.state = place(keras_state.read_state(model))
        self.fresh = self.state[3]
        self._placed = {} if placed is None else placed
        self._prepare()

    def _prepare(self) -> None:
        """Put the arrays on the device and compile the program."""
        arrays = self.arrays
        fingerprint = fingerprint_program(self.model)
        counted = fingerprint is not None and can_count(self.model)
        self.sizes = self._choose_sizes(counted=counted)
        held_out = None
        if arrays.validation is not None and self.sizes.validation is not None:
            rows = arrays.validation_rows[None]
            rows = fill_up_orders(rows, self.sizes.validation.num_rows)[0]
            held_out = self._place(arrays.validation, counted=counted), place(rows)
        data = self._place(arrays.train, counted=counted)
        inputs = place((read_constants(self.model), read_schedule(self.model)))
        counts = place(np.array([arrays.num_train, arrays.num_validation], np.int32))
        self.inputs = self.fresh, inputs, data, held_out, counts
        orders = np.zeros((self.sizes.chunk, self.sizes.training.num_rows), np.int32)
        arguments = (self.state, *self.inputs, orders, np.int32(1))
        self.program = obtain_program(self.model, fingerprint, self.sizes, arguments)

    def _place(self, data: Batch, *, counted: bool) -> Batch:
        def place_once(array: NumPyArray) -> jax.Array | ScaledBytes:
            key = id(array), counted
            if key not in self._placed:
                self._placed[key] = place(fill_up(array) if counted else array)
            return self._placed[key]

        def place_images(array: NumPyArray) -> jax.Array | ScaledBytes:
            key = id(array), counted
            if key not in self._placed and (found := find_bytes(array)) is not None:
                levels = np.asarray(found.levels)
                filled = replace(found, levels=fill_up(levels) if counted else levels)
                self._placed[key] = place(filled)
            return place_once(array)

        x, *others = data
        return (jax.tree.map(place_images, x), *jax.tree.map(place_once, others))

    def _choose_sizes(self, *, counted: bool) -> ProgramSizes:
        setup, arrays = self.setup, self.arrays
        num_train, num_validation = arrays.num_train, arrays.num_validation
        if counted:
            training = counted_batches(num_train, setup.batch_size)
        else:
            training = exact_batches(num_train, setup.batch_size)
        choose = even_batches if counted else exact_batches
        validation = choose(num_validation, setup.validation_batch_size) if num_validation else None
        most = max(1, _LARGEST_ORDERS_BYTES // (4 * training.num_rows))
        self.chunk = min(_MOST_EPOCHS, most) if self.replays else 1
        return ProgramSizes(training, validation, self.chunk)

    def run(self) -> None:
        """Train until the last epoch or until a callback stops; the model always gets its state.

        Raises:
          DivergenceError: an epoch ended in NaN or infinity. The model, its history and the
            callbacks do not see that epoch.
        """
        model, callbacks = self.model, self.callbacks
        model.stop_training = False
        callbacks.on_train_begin()
        resumed = None if self.checkpointer is None else self.checkpointer.resume()
        self.state = place(keras_state.read_state(model))
        if resumed is None:
            epoch = keras_state.first_epoch(model, self.setup.initial_epoch)
        else:
            epoch = resumed
        length = 1 if self.has_callbacks else self.chunk
        logs: Logs = {}
        try:
            while epoch < self.epochs and not (model.stop_training or self.diverged):
                length = min(length, self.epochs - epoch)
                start = time.perf_counter()
                rows = self._replay(epoch, length) if self.replays else self._run_one(epoch)
                self.finished += rows
                epoch, logs = epoch + len(rows), (self.finished or [{}])[-1]
                if self.has_callbacks:
                    pace = (time.perf_counter() - start) / length
                    length = max(1, min(self.chunk, int(_CALLBACKS_EVERY_SECONDS / pace)))
                if self.checkpointer is not None and not self.diverged and epoch < self.epochs:
                    self.checkpointer.save_if_due(self.state, epoch)
            if self.checkpointer is not None and not self.diverged:
                self.checkpointer.save_last(self.state, epoch)
            if self.diverged and ends_at_nan(callbacks.callbacks):
                logs = self._report_nan(epoch, self.diverged)
        finally:
            keras_state.write_state(model, fetch(self.state))
            model.optimizer.finalize_variable_values(model.trainable_weights)
        if not (self.diverged and raises_at_nan(callbacks.callbacks)):
            callbacks.on_train_end(logs)
        if self.diverged is not None:
            raise describe_divergence(model, self.arrays, epoch, self.finished, self.diverged)

    def _replay(self, epoch: int, length: int) -> list[Logs]:
        """Run several epochs at once, and call the callbacks afterwards."""
        rows = self._compute(length)
        interrupt = None
        for offset, logs in enumerate(rows):
            try:
                self.callbacks.on_epoch_begin(epoch + offset)
                self._end_epoch(epoch + offset, logs)
            except KeyboardInterrupt as error:
                # The weights are those of the last epoch, so the history must reach it too.
                interrupt = error
        if interrupt is not None:
            raise interrupt
        return rows

    def _run_one(self, epoch: int) -> list[Logs]:
        """Run one epoch between callbacks that may read or change the model."""
        self.callbacks.on_epoch_begin(epoch)
        self.state = place(keras_state.read_state(self.model))
        rows = self._compute(1)
        keras_state.write_state(self.model, fetch(self.state))
        for logs in rows:
            self._end_epoch(epoch, logs)
        self.state = place(keras_state.read_state(self.model))
        return rows

    def _report_nan(self, epoch: int, logs: Logs) -> Logs:
        """Pass the epoch that ended in NaN to the callbacks, with the history among them."""
        if self.replays:
            self.callbacks.on_epoch_begin(epoch)
        self._end_epoch(epoch, logs)
        self.model.stop_training = True
        return logs

    def _end_epoch(self, epoch: int, logs: Logs) -> None:
        # For Keras's progress bar, which counts batches, and for TerminateOnNaN, which reads
        # their loss; other callbacks do nothing at a batch.
        self.callbacks.on_train_batch_end(self.num_steps - 1, logs)
        self.callbacks.on_epoch_end(epoch, dict(logs))

    def _compute(self, length: int) -> list[Logs]:
        """Run epochs; return the logs of the good ones, and keep those of one that diverged."""
        orders = self.arrays.train_rows[self.setup.shuffler.draw(length, self.chunk)]
        orders = fill_up_orders(orders, self.sizes.training.num_rows)
        self.state, logs, num_good, num_run = self.program(
            self.state, *self.inputs, orders, np.int32(length)
        )
        columns = {name: np.asarray(column) for name, column in logs.items()}
        rows = [{name: float(c[i]) for name, c in columns.items()} for i in range(int(num_run))]
        self.diverged = rows[int(num_good)] if num_good < num_run else None
        return rows[: int(num_good)]
