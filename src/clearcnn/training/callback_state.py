"""What callbacks remember between epochs, so that a training can be gone on with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras

from clearcnn.errors import TrainingError
from clearcnn.training.callbacks import LogReader

Row = dict[str, float]


@dataclass(frozen=True)
class _Kind:
    """Attributes of one of Keras's callbacks: what it remembers, and what it was asked for."""

    memory: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


_KERAS_OWN = {
    keras.callbacks.EarlyStopping: _Kind(
        ("wait", "stopped_epoch", "best", "best_weights", "best_epoch"),
        ("monitor", "mode", "patience", "baseline", "restore_best_weights", "start_from_epoch"),
    ),
    keras.callbacks.ReduceLROnPlateau: _Kind(
        ("wait", "best", "cooldown_counter"),
        ("monitor", "mode", "factor", "patience", "cooldown", "min_lr"),
    ),
    keras.callbacks.ModelCheckpoint: _Kind(("best",), ("monitor", "save_best_only")),
    keras.callbacks.LearningRateScheduler: _Kind(),
    keras.callbacks.RemoteMonitor: _Kind(),
}
_IS_TOLD_AGAIN = (keras.callbacks.History, keras.callbacks.CSVLogger)
_FORGETS = (*_IS_TOLD_AGAIN, keras.callbacks.ProgbarLogger, keras.callbacks.TerminateOnNaN)


def check_memories(callbacks: Iterable[Any]) -> None:
    """Refuse, by name, a callback whose memory nobody knows.

    Raises:
      TrainingError: it is neither Keras's own nor a LogReader, and has no get_state and set_state.
    """
    for callback in callbacks:
        if not (_forgets(callback) or type(callback) in _KERAS_OWN or _tells(callback)):
            raise TrainingError(
                f"{type(callback).__name__} may remember what no checkpoint would hold, so a "
                "resumed training could end otherwise.",
                remedy="Give it get_state(), which gives a dict of numbers, texts and arrays, and "
                "set_state(state); or leave checkpoint out.",
            )


def read_memories(callbacks: Iterable[Any]) -> list[Any]:
    """Give what callbacks remember, in order, without those that do not."""
    return [_read(callback) for callback in callbacks if not _forgets(callback)]


def write_memories(callbacks: Iterable[Any], memories: Sequence[Any]) -> None:
    """Let callbacks that have just begun remember what `read_memories` gave."""
    remembering = [callback for callback in callbacks if not _forgets(callback)]
    for callback, memory in zip(remembering, memories, strict=True):
        if _tells(callback):
            callback.set_state(memory)
        else:
            for name, value in memory.items():
                setattr(callback, name, value)


def describe_callbacks(callbacks: Iterable[Any]) -> list[Any]:
    """Name the callbacks that remember, with what they were asked for."""
    return [
        [
            type(callback).__name__,
            {name: getattr(callback, name) for name in _kind(callback).settings},
        ]
        for callback in callbacks
        if not _forgets(callback)
    ]


def tell_again(callbacks: Iterable[Any], first_epoch: int, rows: Sequence[Row]) -> None:
    """Tell callbacks that only read logs of the epochs that were done before.

    A progress bar is not told, nor a CSVLogger that appends: its file has them.
    """
    for callback in callbacks:
        if isinstance(callback, LogReader):
            tell = callback.on_epoch_again
        elif type(callback) in _IS_TOLD_AGAIN and not getattr(callback, "append", False):
            tell = callback.on_epoch_end
        else:
            continue
        for offset, row in enumerate(rows):
            tell(first_epoch + offset, dict(row))


def has_stopped(callbacks: Iterable[Any]) -> bool:
    """Tell whether an EarlyStopping has ended the training."""
    return any(getattr(callback, "stopped_epoch", 0) > 0 for callback in callbacks)


def be_patient_anew(callbacks: Iterable[Any]) -> None:
    """Let an EarlyStopping that has ended the training count from here; its best stays."""
    for callback in callbacks:
        if type(callback) is keras.callbacks.EarlyStopping and callback.stopped_epoch > 0:
            callback.wait = callback.stopped_epoch = 0


def _read(callback: Any) -> Any:
    if _tells(callback):
        return callback.get_state()
    return {name: getattr(callback, name, None) for name in _kind(callback).memory}


def _kind(callback: Any) -> _Kind:
    return _KERAS_OWN.get(type(callback), _Kind())


def _forgets(callback: Any) -> bool:
    return type(callback) in _FORGETS or isinstance(callback, LogReader)


def _tells(callback: Any) -> bool:
    return all(callable(getattr(callback, name, None)) for name in ("get_state", "set_state"))
