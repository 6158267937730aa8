"""The state of callbacks between epochs, so that a training can be resumed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeGuard

import keras

from clearcnn.errors import TrainingError
from clearcnn.language import say
from clearcnn.training.callbacks import LogReader
from clearcnn.types import Logs

Callbacks = Iterable[keras.callbacks.Callback]


class StatefulCallback(Protocol):
    """A callback whose state can be kept in a checkpoint.

    The state is a dict of numbers, strings and arrays, and of lists and dicts of these.
    """

    def get_state(self) -> object:
        """Return the state."""

    def set_state(self, state: object) -> None:
        """Restore what `get_state` returned."""


@dataclass(frozen=True)
class _Attributes:
    """Names of attributes of one of Keras's callbacks: its state and its settings."""

    state: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


_KERAS_OWN = {
    keras.callbacks.EarlyStopping: _Attributes(
        ("wait", "stopped_epoch", "best", "best_weights", "best_epoch"),
        ("monitor", "mode", "patience", "baseline", "restore_best_weights", "start_from_epoch"),
    ),
    keras.callbacks.ReduceLROnPlateau: _Attributes(
        ("wait", "best", "cooldown_counter"),
        ("monitor", "mode", "factor", "patience", "cooldown", "min_lr"),
    ),
    keras.callbacks.ModelCheckpoint: _Attributes(("best",), ("monitor", "save_best_only")),
    keras.callbacks.LearningRateScheduler: _Attributes(),
    keras.callbacks.RemoteMonitor: _Attributes(),
}
_REPLAYED = (keras.callbacks.History, keras.callbacks.CSVLogger)
_STATELESS = (*_REPLAYED, keras.callbacks.ProgbarLogger, keras.callbacks.TerminateOnNaN)


def check_states(callbacks: Callbacks) -> None:
    """Reject callbacks whose state cannot be read.

    Raises:
      TrainingError: a callback is neither Keras's own nor a LogReader, and has no get_state and
        set_state.
    """
    for callback in callbacks:
        known = _is_stateless(callback) or type(callback) in _KERAS_OWN
        if not (known or _is_stateful(callback)):
            raise TrainingError(
                say(
                    "{name} may have state that a checkpoint would not hold, so a resumed "
                    "training could end differently.",
                    name=type(callback).__name__,
                ),
                remedy=say(
                    "Add get_state(), which returns a dict of numbers, strings and arrays, "
                    "and set_state(state); or leave checkpoint out."
                ),
            )


def read_states(callbacks: Callbacks) -> list[object]:
    """Return the states of callbacks, in order, without those that have none."""
    return [_read(callback) for callback in callbacks if not _is_stateless(callback)]


def restore_states(callbacks: Callbacks, states: Sequence[object]) -> None:
    """Give callbacks that have just begun the states that `read_states` returned."""
    with_state = [callback for callback in callbacks if not _is_stateless(callback)]
    for callback, state in zip(with_state, states, strict=True):
        if _is_stateful(callback):
            callback.set_state(state)
        elif isinstance(state, dict):
            for name, value in state.items():
                setattr(callback, name, value)
        else:
            raise TypeError(
                say("the state of {callback} is no dict", callback=type(callback).__name__)
            )


def describe_callbacks(callbacks: Callbacks) -> list[list[object]]:
    """Return the name and settings of each callback that has state."""
    return [
        [
            type(callback).__name__,
            {name: getattr(callback, name) for name in _attributes(callback).settings},
        ]
        for callback in callbacks
        if not _is_stateless(callback)
    ]


def replay_epochs(callbacks: Callbacks, first_epoch: int, rows: Sequence[Logs]) -> None:
    """Pass the logs of the epochs before the resume to callbacks that only read logs.

    A progress bar does not get them, nor a CSVLogger that appends: its file has them.
    """
    for callback in callbacks:
        if isinstance(callback, LogReader):
            on_epoch = callback.on_epoch_again
        elif type(callback) in _REPLAYED and not getattr(callback, "append", False):
            on_epoch = callback.on_epoch_end
        else:
            continue
        for offset, row in enumerate(rows):
            on_epoch(first_epoch + offset, dict(row))


def has_stopped_early(callbacks: Callbacks) -> bool:
    """Tell whether an EarlyStopping has ended the training."""
    return any(getattr(callback, "stopped_epoch", 0) > 0 for callback in callbacks)


def reset_patience(callbacks: Callbacks) -> None:
    """Let an EarlyStopping that has ended the training count from here; its best stays."""
    for callback in callbacks:
        if type(callback) is keras.callbacks.EarlyStopping and callback.stopped_epoch > 0:
            callback.wait = callback.stopped_epoch = 0


def _read(callback: keras.callbacks.Callback) -> object:
    if _is_stateful(callback):
        return callback.get_state()
    return {name: getattr(callback, name, None) for name in _attributes(callback).state}


def _attributes(callback: keras.callbacks.Callback) -> _Attributes:
    return _KERAS_OWN.get(type(callback), _Attributes())


def _is_stateless(callback: keras.callbacks.Callback) -> bool:
    return type(callback) in _STATELESS or isinstance(callback, LogReader)


def _is_stateful(callback: object) -> TypeGuard[StatefulCallback]:
    return all(callable(getattr(callback, name, None)) for name in ("get_state", "set_state"))
