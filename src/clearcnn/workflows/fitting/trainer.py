"""A model and its training, built and compiled: the one way in which a recipe is trained."""

import time
from collections.abc import Callable
from typing import Any

from clearcnn import models
from clearcnn.results.train import History
from clearcnn.specs import ModelSpec, TrainSpec

_VALIDATION_BATCH = 512

Hear = Callable[[int, dict[str, float]], None]


class Trainee:
    """A model that is ready to be trained, once.

    Args:
      model: the layers.
      spec: how they are trained.
      shape: (height, width, channels) of an image.
      num_classes: classes to tell apart.
      num_train: images to train on, > 0.

    Attributes:
      network: the `keras.Model`, without augmentation.
      begun: `time.perf_counter()` when the program was compiled and the first epoch began.
      history: of the epochs that were finished; None before the first one.
    """

    def __init__(
        self,
        model: ModelSpec,
        spec: TrainSpec,
        shape: tuple[int, int, int],
        num_classes: int,
        num_train: int,
    ) -> None:
        from clearcnn import training

        self._spec = spec
        self._stopping: Any = None
        self._watch: Any = None
        self._finished: list[dict[str, float]] = []
        self._built = time.perf_counter()
        self.network = models.build_model(model, shape, num_classes, spec.seed)
        self._trainee = self.network
        if spec.augmentation is not None:
            self._trainee = training.augment_model(self.network, spec.augmentation, spec.seed)
        training.compile_model(self._trainee, spec, num_train)

    def fit(
        self,
        train: tuple[Any, Any, Any],
        validation: tuple[Any, Any, Any] | None = None,
        hear: Hear | None = None,
        verbose: str | int = 0,
        checkpoint: Any = None,
    ) -> History:
        """Train, and leave the weights in the network.

        Args:
          train: images (n, height, width, channels); one-hot labels (n, classes); weights (n,)
            or None.
          validation: the same, to stop early by; None trains every epoch.
          hear: called with each epoch, counted from 0, and its metrics; not with those that were
            done before a checkpoint.
          verbose: as for `keras.Model.fit`.
          checkpoint: as for `clearcnn.fit`.
        Raises:
          DivergenceError: the numbers stopped being finite; `history` has the epochs before.
        """
        from clearcnn import training

        def note(epoch: int, metrics: dict[str, float]) -> None:
            self._finished.append(metrics)
            if hear is not None:
                hear(epoch, dict(metrics))

        if validation is not None:
            self._stopping = training.early_stopping(self._spec)

        def note_again(_: int, metrics: dict[str, float]) -> None:
            self._finished.append(metrics)

        self._watch = training.Watch(note, note_again)
        images, targets, weights = train
        training.fit(
            self._trainee,
            images,
            targets,
            batch_size=self._spec.batch_size,
            epochs=self._spec.epochs,
            verbose=verbose,
            callbacks=[self._watch, *([self._stopping] if self._stopping else [])],
            validation_data=_without_none(validation),
            sample_weight=weights,
            validation_batch_size=_VALIDATION_BATCH,
            seed=self._spec.seed,
            checkpoint=checkpoint,
        )
        assert self.history is not None
        return self.history

    @property
    def begun(self) -> float:
        """As the class says."""
        return self._built if self._watch is None else float(self._watch.begun)

    @property
    def history(self) -> History | None:
        """As the class says."""
        if not self._finished:
            return None
        metrics = {name: tuple(row[name] for row in self._finished) for name in self._finished[0]}
        best = len(self._finished) - 1
        if self._stopping and not self._watch.interrupted:
            best = self._stopping.best_epoch
        return History(metrics, best)

    def stop(self) -> None:
        """Have the epoch under way be the last; its weights are kept, not the best ones."""
        self._watch.interrupt()
        if self._stopping:
            self._stopping.restore_best_weights = False


def _without_none(arrays: tuple[Any, Any, Any] | None) -> tuple[Any, ...] | None:
    return None if arrays is None else tuple(part for part in arrays if part is not None)
