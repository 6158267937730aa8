"""A fit that can be gone on with: what is kept of it between two epochs, and how often.

A training that was stopped anywhere and goes on from its checkpoint ends in the same bits as one
that never stopped. Kept are all variables of the model and its optimizer, the generator of the
shuffles, the history, and what the callbacks remember.
"""

import time
import warnings
from pathlib import Path
from typing import Any

import jax
import numpy as np

from clearcnn.checkpoints import Checkpoint, CheckpointFolder, CheckpointStore, CheckpointTarget
from clearcnn.errors import CheckpointError, TrainingError
from clearcnn.specs import CheckpointSpec
from clearcnn.training import keras_state
from clearcnn.training.callback_state import (
    be_patient_anew,
    check_memories,
    has_stopped,
    read_memories,
    tell_again,
    write_memories,
)
from clearcnn.training.fingerprint import (
    Fingerprint,
    describe_training,
    find_differences,
    hash_data,
)
from clearcnn.training.fit_arrays import FitArrays
from clearcnn.training.nested_json import Arrays, from_plain, pack, to_plain, unpack
from clearcnn.training.shuffling import Shuffler

FORM = 1

# So that what is kept costs under 2 % of the time.
_TIMES_AS_LONG = 50
_GROUPS = ("trainable", "non_trainable", "optimizer", "metrics")


class Checkpointer:
    """Keeps a fit's checkpoints, and takes the fit back to where the last one was kept.

    Args:
      store: where they lie.
      seconds: as in CheckpointSpec.
      model: compiled and built.
      arrays, batch_sizes, epochs, callbacks, shuffler, initial_epoch: of the fit, which has not
        begun.
    Raises:
      TrainingError: a callback's memory cannot be kept.
      CheckpointError: what is there cannot be read, or belongs to another training.
    """

    def __init__(
        self,
        store: CheckpointStore,
        seconds: float,
        model: Any,
        arrays: FitArrays,
        batch_sizes: tuple[int, int],
        epochs: int,
        callbacks: Any,
        shuffler: Shuffler,
        initial_epoch: int,
    ) -> None:
        self._store, self._seconds = store, seconds
        self._model, self._arrays, self._epochs = model, arrays, epochs
        self._callbacks, self._shuffler = callbacks.callbacks, shuffler
        self._initial_epoch = initial_epoch
        check_memories(self._callbacks)
        self._fingerprint: Fingerprint = describe_training(
            model, arrays, batch_sizes, shuffler, self._callbacks, initial_epoch
        )
        self._found = store.load()
        if self._found is not None:
            self._check(self._found)
        self._took = 0.0
        self._kept_at = time.perf_counter()

    def resume(self) -> int | None:
        """After `on_train_begin`: go back to the checkpoint, if there is one.

        Returns:
          The epoch to begin with, counted from 0, or None without a checkpoint.
        Raises:
          TrainingError: what a callback remembers cannot be kept.
          CheckpointError: what was found does not fit this training.
        """
        self._pack_memories({})  # What cannot be kept is said before hours of training.
        self._kept_at = time.perf_counter()
        found = self._found
        if found is None:
            return None
        self._found = None
        facts = found.facts
        try:
            keras_state.write_state(self._model, self._read_variables(found.arrays))
            self._shuffler.state = unpack(facts["shuffler"], found.arrays)
            history = unpack(facts["history"], found.arrays)
            rows = [
                dict(zip(history, row, strict=True)) for row in zip(*history.values(), strict=True)
            ]
            if len(rows) != found.epoch - self._initial_epoch:
                raise ValueError(f"a history of {len(rows)} epochs")
            goes_on = self._epochs > facts["epochs"]
            # Before the callbacks are told, one of which may hear a Ctrl-C.
            self._model.stop_training = facts["stopped"] and not goes_on
            tell_again(self._callbacks, self._initial_epoch, rows)
            write_memories(self._callbacks, unpack(facts["callbacks"], found.arrays))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _no_training(f"what it holds does not fit this training ({error})") from error
        if goes_on:
            be_patient_anew(self._callbacks)
        return found.epoch

    def look(self, state: Any, epoch: int) -> None:
        """Between epochs: keep a checkpoint if it is time to.

        Args:
          state: as `keras_state.read_state` gives it.
          epoch: epochs that are done.
        """
        pause = max(self._seconds, _TIMES_AS_LONG * self._took) if self._seconds else 0.0
        if time.perf_counter() - self._kept_at >= pause:
            self._keep(state, epoch, is_last=False)

    def finish(self, state: Any, epoch: int) -> None:
        """After the last epoch, before early stopping puts the best weights back: keep it."""
        self._keep(state, epoch, is_last=True)

    def _keep(self, state: Any, epoch: int, *, is_last: bool) -> None:
        start = time.perf_counter()
        try:
            self._store.save(self._capture(state, epoch), is_last=is_last)
        except CheckpointError as error:
            # Hours of training are worth more than the right to go on with them.
            warnings.warn(f"{error.problem} Training goes on.", RuntimeWarning, stacklevel=2)
        self._kept_at = time.perf_counter()
        self._took = self._kept_at - start

    def _capture(self, state: Any, epoch: int) -> Checkpoint:
        if "data" not in self._fingerprint:
            self._fingerprint["data"] = hash_data(self._arrays)
        arrays: Arrays = {
            f"{group}/{number}": to_plain(value)
            for group, values in zip(_GROUPS, state, strict=True)
            for number, value in enumerate(values)
        }
        callbacks = self._callbacks
        interrupted = any(getattr(callback, "interrupted", False) for callback in callbacks)
        stopped = bool(self._model.stop_training) and (not interrupted or has_stopped(callbacks))
        facts = {
            "form": FORM,
            "epoch": epoch,
            "epochs": self._epochs,
            "stopped": stopped,
            "training": self._fingerprint,
            "history": pack(self._model.history.history, "history", arrays),
            "shuffler": pack(self._shuffler.state, "shuffler", arrays),
            "callbacks": self._pack_memories(arrays),
        }
        return Checkpoint(facts, arrays)

    def _pack_memories(self, arrays: Arrays) -> Any:
        try:
            return pack(read_memories(self._callbacks), "callbacks", arrays)
        except TypeError as error:
            raise TrainingError(
                f"A checkpoint cannot hold this: {error}.",
                remedy="Let get_state() give numbers, texts, arrays, and lists and dicts of them.",
            ) from error

    def _check(self, found: Checkpoint) -> None:
        """Refuse a checkpoint of another training, and say what differs."""
        facts = found.facts
        if facts.get("form") != FORM or not isinstance(facts.get("training"), dict):
            raise _no_training(f"it is of the form {facts.get('form')!r}, and {FORM} is read")
        self._fingerprint["data"] = hash_data(self._arrays)
        differences = find_differences(
            facts["training"],
            self._fingerprint,
            schedule_may_differ=self._epochs != facts.get("epochs"),
        )
        if differences:
            raise _no_training(
                f"it belongs to another training, which differs in {', '.join(differences)}"
            )
        if found.epoch > self._epochs:
            raise _no_training(
                f"it has {found.epoch} epochs, more than the {self._epochs} asked for"
            )
        self._read_variables(found.arrays)

    def _read_variables(self, arrays: Arrays) -> Any:
        groups = []
        for group, values in zip(_GROUPS, keras_state.read_state(self._model), strict=True):
            read = []
            for number, value in enumerate(values):
                array = arrays.get(f"{group}/{number}")
                bits = None if array is None else array.dtype.itemsize
                if array is None or array.shape != value.shape or bits != value.dtype.itemsize:
                    raise _no_training(f"its {group} variable {number} is not as the model has it")
                read.append(from_plain(array, np.dtype(value.dtype)))
            groups.append(read)
        return tuple(groups)


def open_store(checkpoint: str | Path | CheckpointSpec | CheckpointTarget) -> CheckpointTarget:
    """Resolve the `checkpoint` argument of `fit`.

    Raises:
      TrainingError: several processes train together.
    """
    if jax.process_count() > 1:
        raise TrainingError(
            "checkpoint was given in one of several processes that train together, and only one "
            "could keep it.",
            remedy="Leave it out there.",
        )
    if isinstance(checkpoint, CheckpointTarget):
        return checkpoint
    spec = checkpoint if isinstance(checkpoint, CheckpointSpec) else CheckpointSpec(checkpoint)
    return CheckpointTarget(CheckpointFolder(spec.folder), spec.seconds)


def _no_training(what: str) -> CheckpointError:
    return CheckpointError(
        f"The checkpoint cannot be gone on from: {what}.",
        remedy="Train as before, or give an empty folder to train from the start.",
    )
