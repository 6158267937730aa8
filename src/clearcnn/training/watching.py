"""Callbacks that the product itself needs."""

import time
from collections.abc import Callable
from typing import Any

import keras

from clearcnn.specs import TrainSpec
from clearcnn.training.callbacks import LogReader

Tell = Callable[[int, dict[str, float]], None]


class Watch(LogReader):
    """Tell a function of every finished epoch, and remember when the first one began.

    Args:
      on_epoch_end: called with the epoch, counted from 0, and its logs.
      on_epoch_again: the same for epochs that were done before the training was stopped; None
        makes no difference between them.

    Attributes:
      begun: `time.perf_counter()` when the program was compiled.
      interrupted: whether somebody ended the training before its time.
    """

    def __init__(self, on_epoch_end: Tell, on_epoch_again: Tell | None = None) -> None:
        super().__init__()
        self._tell, self._tell_again = on_epoch_end, on_epoch_again or on_epoch_end
        self.interrupted = False
        self.begun = time.perf_counter()

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """`fit` has compiled its program."""
        self.begun = time.perf_counter()

    def interrupt(self) -> None:
        """Have the epoch under way be the last; a checkpoint knows that this was not the end."""
        self.interrupted = True
        self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Pass the logs on."""
        self._tell(epoch, dict(logs or {}))

    def on_epoch_again(self, epoch: int, logs: Any = None) -> None:
        """Pass them on as old ones."""
        self._tell_again(epoch, dict(logs or {}))


class NoEpoch(LogReader):
    """Stop before the first epoch: `fit` builds and compiles all it needs, and trains nothing.

    A later `fit` of an alike model that is watched by a `Watch` finds the program compiled.
    """

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """`fit` is ready to train."""
        self.model.stop_training = True


def early_stopping(spec: TrainSpec) -> Any:
    """Give Keras's EarlyStopping on val_loss with the best weights restored, or None."""
    if spec.patience is None:
        return None
    return keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=spec.patience, restore_best_weights=True
    )
