"""Which callbacks a compiled fit can honour, and how often it must stop for them."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from clearcnn.errors import DivergenceError, TrainingError

_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)
# These define batch hooks that do nothing when they save by epoch, or that only draw.
_IDLE_BY_EPOCH = (keras.callbacks.ModelCheckpoint, keras.callbacks.BackupAndRestore)
_DRAWS_ONLY = keras.callbacks.ProgbarLogger
# These read the logs and touch nothing else, so that many epochs may be run at once and their
# logs replayed.
_READS_LOGS_ONLY = (
    keras.callbacks.History,
    keras.callbacks.ProgbarLogger,
    keras.callbacks.CSVLogger,
    keras.callbacks.TerminateOnNaN,
)
# `fit` looks at each epoch's numbers itself, so this one has nothing to do at a batch.
_ENDS_AT_NAN = keras.callbacks.TerminateOnNaN


class LogReader(keras.callbacks.Callback):  # type: ignore[misc]
    """A callback that promises to read logs only: neither the model nor its optimizer.

    `fit` may then run several epochs at once and replay their logs in order. When it goes on from a
    checkpoint, it tells of the epochs that were done before by `on_epoch_again`.
    """

    def on_epoch_again(self, epoch: int, logs: Any = None) -> None:
        """Hear of an epoch that was done before the training was stopped."""
        self.on_epoch_end(epoch, logs)


def check_callbacks(callbacks: Iterable[Any]) -> None:
    """Refuse, by name, every callback that wants to see single batches.

    Raises:
      TrainingError: a callback overrides a batch hook.
    """
    for callback in callbacks:
        hooks = _batch_hooks(callback)
        if hooks:
            raise TrainingError(
                f"{type(callback).__name__} overrides {', '.join(hooks)}; clearcnn.fit runs "
                "whole epochs as one program and cannot stop at a batch.",
                remedy="Move its work to on_epoch_end, or use model.fit.",
            )


def read_logs_only(callbacks: Iterable[Any]) -> bool:
    """Tell whether all callbacks do nothing but read logs."""
    return all(
        type(callback) in _READS_LOGS_ONLY or isinstance(callback, LogReader)
        for callback in callbacks
    )


def ends_at_nan(callbacks: Iterable[Any]) -> bool:
    """Tell whether a TerminateOnNaN asks for a training that ends in NaN like any other."""
    return any(isinstance(c, _ENDS_AT_NAN) and not _raises(c) for c in callbacks)


def raises_at_nan(callbacks: Iterable[Any]) -> bool:
    """Tell whether a TerminateOnNaN asks for an error without any `on_train_end`."""
    return any(isinstance(c, _ENDS_AT_NAN) and _raises(c) for c in callbacks)


@contextmanager
def honour_terminate_on_nan(callbacks: Iterable[Any]) -> Iterator[None]:
    """Let a training that ended in NaN return, where a TerminateOnNaN asks for that."""
    try:
        yield
    except DivergenceError:
        if not ends_at_nan(callbacks):
            raise


def _raises(callback: Any) -> bool:
    return bool(getattr(callback, "raise_error", False))


def _batch_hooks(callback: Any) -> list[str]:
    if isinstance(callback, _DRAWS_ONLY):
        return []
    if isinstance(callback, _IDLE_BY_EPOCH) and callback.save_freq == "epoch":
        return []
    base = _ENDS_AT_NAN if isinstance(callback, _ENDS_AT_NAN) else keras.callbacks.Callback
    return [
        hook
        for hook in _BATCH_HOOKS
        if getattr(type(callback), hook, None) is not getattr(base, hook) or hook in vars(callback)
    ]
