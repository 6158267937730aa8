"""Callbacks that the product itself needs."""

import time
from collections.abc import Callable
from typing import Any

import keras

from clearcnn.specs import TrainSpec
from clearcnn.training.callbacks import LogReader


class Watch(LogReader):
    """Tell a function of every finished epoch, and remember when the first one began.

    Args:
      on_epoch_end: called with the epoch, counted from 0, and its logs.
    """

    def __init__(self, on_epoch_end: Callable[[int, dict[str, float]], None]) -> None:
        super().__init__()
        self._tell = on_epoch_end
        self.begun = time.perf_counter()

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """`fit` has compiled its program."""
        self.begun = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Pass the logs on."""
        self._tell(epoch, dict(logs or {}))


def early_stopping(spec: TrainSpec) -> Any:
    """Give Keras's EarlyStopping on val_loss with the best weights restored, or None."""
    if spec.patience is None:
        return None
    return keras.callbacks.EarlyStopping(
        monitor="val_loss", patience=spec.patience, restore_best_weights=True
    )
