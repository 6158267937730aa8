"""Checkpoints of a fit: what is in them, how often they are written, how a fit resumes.

A training that was stopped anywhere and resumes from its checkpoint ends in the same bits as one
that was never stopped. A checkpoint holds all variables of the model and its optimizer, the state
of the random generator, the history, and the state of the callbacks.
"""

import time
import warnings
from pathlib import Path

import jax
import numpy as np

from clearcnn.checkpoints import Checkpoint, CheckpointFolder, CheckpointTarget
from clearcnn.errors import CheckpointError, TrainingError
from clearcnn.language import join, say
from clearcnn.specs import CheckpointSpec
from clearcnn.training import keras_state
from clearcnn.training.callback_state import (
    check_states,
    has_stopped_early,
    read_states,
    replay_epochs,
    reset_patience,
    restore_states,
)
from clearcnn.training.fingerprint import find_differences, fingerprint_training, hash_data
from clearcnn.training.fit_setup import FitSetup
from clearcnn.training.keras_state import State
from clearcnn.training.nested_json import Arrays, from_plain, pack, to_plain, unpack
from clearcnn.types import JsonValue

FORM = 1

# The pause is this many times as long as writing takes, so that checkpoints cost under 2 %.
_PAUSE_FACTOR = 50
_GROUPS = ("trainable", "non_trainable", "optimizer", "metrics")


class Checkpointer:
    """Writes the checkpoints of a fit, and restores the newest one.

    Args:
      target: where checkpoints are kept, and how often.
      setup: of the fit, which has not begun.
    Raises:
      TrainingError: the state of a callback cannot be read.
      CheckpointError: a checkpoint cannot be read, or belongs to another training.
    """

    def __init__(self, target: CheckpointTarget, setup: FitSetup) -> None:
        self._store, self._seconds = target.store, target.seconds
        self._model, self._arrays, self._epochs = setup.model, setup.arrays, setup.epochs
        self._callbacks, self._shuffler = setup.callbacks.callbacks, setup.shuffler
        self._initial_epoch = setup.initial_epoch
        check_states(self._callbacks)
        self._fingerprint = fingerprint_training(setup)
        self._found = self._store.load()
        if self._found is not None:
            self._check(self._found)
        self._last_duration = 0.0
        self._last_time = time.perf_counter()

    def resume(self) -> int | None:
        """After `on_train_begin`: restore the checkpoint, if there is one.

        Returns:
          The epoch to begin with, counted from 0, or None without a checkpoint.
        Raises:
          TrainingError: the state of a callback cannot be saved.
          CheckpointError: the checkpoint does not fit this training.
        """
        self._pack_callbacks({})  # An error here comes before hours of training, not after.
        self._last_time = time.perf_counter()
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
                raise ValueError(say("a history of {number} epochs", number=len(rows)))
            has_more_epochs = self._epochs > facts["epochs"]
            # Before the replay: a callback may set it there, as at Ctrl-C.
            self._model.stop_training = facts["stopped"] and not has_more_epochs
            replay_epochs(self._callbacks, self._initial_epoch, rows)
            restore_states(self._callbacks, unpack(facts["callbacks"], found.arrays))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _cannot_resume(
                say("its content does not fit this training ({error})", error=error)
            ) from error
        if has_more_epochs:
            reset_patience(self._callbacks)
        return found.epoch

    def save_if_due(self, state: State, epoch: int) -> None:
        """Between epochs: write a checkpoint if enough time has passed.

        Args:
          state: as `keras_state.read_state` returns it.
          epoch: number of finished epochs.
        """
        pause = max(self._seconds, _PAUSE_FACTOR * self._last_duration) if self._seconds else 0.0
        if time.perf_counter() - self._last_time >= pause:
            self._save(state, epoch, is_last=False)

    def save_last(self, state: State, epoch: int) -> None:
        """After the last epoch, before early stopping restores the best weights: write one."""
        self._save(state, epoch, is_last=True)

    def _save(self, state: State, epoch: int, *, is_last: bool) -> None:
        start = time.perf_counter()
        try:
            self._store.save(self._capture(state, epoch), is_last=is_last)
        except CheckpointError as error:
            # A training without checkpoints is better than none.
            warnings.warn(
                say("{problem} Training continues.", problem=error.problem),
                RuntimeWarning,
                stacklevel=2,
            )
        self._last_time = time.perf_counter()
        self._last_duration = self._last_time - start

    def _capture(self, state: State, epoch: int) -> Checkpoint:
        if "data" not in self._fingerprint:
            self._fingerprint["data"] = hash_data(self._arrays)
        arrays: Arrays = {
            f"{group}/{number}": to_plain(value)
            for group, values in zip(_GROUPS, state, strict=True)
            for number, value in enumerate(values)
        }
        callbacks = self._callbacks
        interrupted = any(getattr(callback, "interrupted", False) for callback in callbacks)
        ended = not interrupted or has_stopped_early(callbacks)
        facts = {
            "form": FORM,
            "epoch": epoch,
            "epochs": self._epochs,
            "stopped": bool(self._model.stop_training) and ended,
            "training": self._fingerprint,
            "history": pack(self._model.history.history, "history", arrays),
            "shuffler": pack(self._shuffler.state, "shuffler", arrays),
            "callbacks": self._pack_callbacks(arrays),
        }
        return Checkpoint(facts, arrays)

    def _pack_callbacks(self, arrays: Arrays) -> JsonValue:
        try:
            return pack(read_states(self._callbacks), "callbacks", arrays)
        except TypeError as error:
            raise TrainingError(
                say("A checkpoint cannot hold this: {error}.", error=error),
                remedy=say(
                    "Let get_state() return numbers, strings, arrays, and lists and dicts of these."
                ),
            ) from error

    def _check(self, found: Checkpoint) -> None:
        """Reject a checkpoint of another training, and say what differs."""
        facts = found.facts
        if facts.get("form") != FORM or not isinstance(facts.get("training"), dict):
            raise _cannot_resume(
                say(
                    "its format is {found!r}, and {expected} was expected",
                    found=facts.get("form"),
                    expected=FORM,
                )
            )
        self._fingerprint["data"] = hash_data(self._arrays)
        differences = find_differences(
            facts["training"],
            self._fingerprint,
            schedule_may_differ=self._epochs != facts.get("epochs"),
        )
        if differences:
            raise _cannot_resume(
                say(
                    "it belongs to another training, which differs in {differences}",
                    differences=join(", ", differences),
                )
            )
        if found.epoch > self._epochs:
            raise _cannot_resume(
                say(
                    "it has {epoch} epochs, more than the {epochs} asked for",
                    epoch=found.epoch,
                    epochs=self._epochs,
                )
            )
        self._read_variables(found.arrays)

    def _read_variables(self, arrays: Arrays) -> list[list[np.ndarray]]:
        groups = []
        for group, values in zip(_GROUPS, keras_state.read_state(self._model), strict=True):
            read = []
            for number, value in enumerate(values):
                array = arrays.get(f"{group}/{number}")
                size = None if array is None else array.dtype.itemsize
                if array is None or array.shape != value.shape or size != value.dtype.itemsize:
                    raise _cannot_resume(
                        say(
                            "its {group} variable {number} differs in shape or dtype from the "
                            "model's",
                            group=group,
                            number=number,
                        )
                    )
                read.append(from_plain(array, np.dtype(value.dtype)))
            groups.append(read)
        return groups


def open_target(checkpoint: CheckpointTarget | CheckpointSpec | Path | str) -> CheckpointTarget:
    """Return where to keep the checkpoints of a fit.

    Args:
      checkpoint: a CheckpointTarget, a CheckpointSpec or a folder.
    Raises:
      TrainingError: several processes train together.
    """
    if jax.process_count() > 1:
        raise TrainingError(
            say(
                "checkpoint was given to one of several processes that train together; only "
                "one of them could write it."
            ),
            remedy=say("Leave checkpoint out."),
        )
    if isinstance(checkpoint, CheckpointTarget):
        return checkpoint
    spec = checkpoint if isinstance(checkpoint, CheckpointSpec) else CheckpointSpec(checkpoint)
    return CheckpointTarget(CheckpointFolder(spec.folder), spec.seconds)


def _cannot_resume(reason: str) -> CheckpointError:
    return CheckpointError(
        say("The checkpoint cannot be resumed: {reason}.", reason=reason),
        remedy=say("Train with the same settings, or use an empty folder to train from the start."),
    )
