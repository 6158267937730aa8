"""Callbacks in a compiled fit: which ones work, how often it stops for them, and our own.

The end of an epoch is reported in one way: `fit_loop` calls Keras's `CallbackList`, which calls
each callback. Whoever wants to follow a training passes a callback; `Watch` is one that calls a
function.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import keras

from clearcnn.errors import DivergenceError, TrainingError
from clearcnn.language import say
from clearcnn.types import Logs

Callbacks = Iterable[keras.callbacks.Callback]
OnEpoch = Callable[[int, Logs], None]

_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)
# Their batch hooks do nothing when they save by epoch.
_IDLE_BY_EPOCH = (keras.callbacks.ModelCheckpoint, keras.callbacks.BackupAndRestore)
# Its batch hooks only draw.
_PROGRESS_BAR = keras.callbacks.ProgbarLogger
# These read the logs and nothing else, so several epochs may run before their logs are replayed.
_READS_LOGS_ONLY = (
    keras.callbacks.History,
    keras.callbacks.ProgbarLogger,
    keras.callbacks.CSVLogger,
    keras.callbacks.TerminateOnNaN,
)
# `fit` checks each epoch for NaN itself, so its batch hooks have nothing to do.
_ENDS_AT_NAN = keras.callbacks.TerminateOnNaN


class LogReader(keras.callbacks.Callback):  # type: ignore[misc]
    """A callback that promises to read logs only: neither the model nor its optimizer.

    `fit` may then run several epochs at once and replay their logs in order. When it resumes from
    a checkpoint, it passes the epochs before that to `on_epoch_again`.
    """

    def on_epoch_again(self, epoch: int, logs: Logs | None = None) -> None:
        """Called for each epoch that was finished before the training was stopped."""
        self.on_epoch_end(epoch, logs)


class Watch(LogReader):
    """Call a function after every epoch, and note when the first one began.

    Args:
      on_epoch_end: called with the epoch, counted from 0, and its logs.
      on_epoch_again: the same, for epochs that were finished before the training was stopped;
        None calls `on_epoch_end` for these too.

    Attributes:
      begun: `time.perf_counter()` when the program was compiled.
      interrupted: whether `interrupt` was called.
    """

    def __init__(self, on_epoch_end: OnEpoch, on_epoch_again: OnEpoch | None = None) -> None:
        super().__init__()
        self._on_epoch_end = on_epoch_end
        self._on_epoch_again = on_epoch_again or on_epoch_end
        self.interrupted = False
        self.begun = time.perf_counter()

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Called when `fit` has compiled its program."""
        self.begun = time.perf_counter()

    def interrupt(self) -> None:
        """Stop after the current epoch; a checkpoint notes that the training was not finished."""
        self.interrupted = True
        self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Pass a new epoch on."""
        self._on_epoch_end(epoch, dict(logs or {}))

    def on_epoch_again(self, epoch: int, logs: Logs | None = None) -> None:
        """Pass an epoch from before the resume on."""
        self._on_epoch_again(epoch, dict(logs or {}))


class NoEpoch(LogReader):
    """Stop before the first epoch: `fit` builds and compiles everything, and trains nothing.

    A later `fit` of a similar model with a `Watch` finds the program compiled.
    """

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Called when `fit` is ready to train."""
        self.model.stop_training = True


def check_callbacks(callbacks: Callbacks) -> None:
    """Reject callbacks on single batches.

    Raises:
      TrainingError: a callback overrides a batch hook.
    """
    for callback in callbacks:
        hooks = _batch_hooks(callback)
        if hooks:
            raise TrainingError(
                say(
                    "{name} overrides {hooks}; clearcnn.fit runs whole epochs as one program "
                    "and cannot stop at a batch.",
                    name=type(callback).__name__,
                    hooks=", ".join(hooks),
                ),
                remedy=say("Move its work to on_epoch_end, or use model.fit."),
            )


def read_logs_only(callbacks: Callbacks) -> bool:
    """Tell whether all callbacks do nothing but read logs."""
    return all(
        type(callback) in _READS_LOGS_ONLY or isinstance(callback, LogReader)
        for callback in callbacks
    )


def ends_at_nan(callbacks: Callbacks) -> bool:
    """Tell whether a TerminateOnNaN asks for a training that ends in NaN to return normally."""
    return any(isinstance(c, _ENDS_AT_NAN) and not _raises(c) for c in callbacks)


def raises_at_nan(callbacks: Callbacks) -> bool:
    """Tell whether a TerminateOnNaN asks for an error without any `on_train_end`."""
    return any(isinstance(c, _ENDS_AT_NAN) and _raises(c) for c in callbacks)


@contextmanager
def honour_terminate_on_nan(callbacks: Callbacks) -> Iterator[None]:
    """Suppress DivergenceError if a TerminateOnNaN asks for that."""
    try:
        yield
    except DivergenceError:
        if not ends_at_nan(callbacks):
            raise


def _raises(callback: keras.callbacks.TerminateOnNaN) -> bool:
    return bool(getattr(callback, "raise_error", False))


def _batch_hooks(callback: keras.callbacks.Callback) -> list[str]:
    if isinstance(callback, _PROGRESS_BAR):
        return []
    if isinstance(callback, _IDLE_BY_EPOCH) and callback.save_freq == "epoch":
        return []
    base = _ENDS_AT_NAN if isinstance(callback, _ENDS_AT_NAN) else keras.callbacks.Callback
    return [
        hook
        for hook in _BATCH_HOOKS
        if getattr(type(callback), hook, None) is not getattr(base, hook) or hook in vars(callback)
    ]
