"""A model, built and compiled, and its training: every recipe is trained here."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearcnn import models
from clearcnn.checkpoints import CheckpointTarget
from clearcnn.data import LabelledImages
from clearcnn.results.train import History
from clearcnn.specs import ModelSpec, TrainSpec
from clearcnn.types import Pixels

if TYPE_CHECKING:
    import keras

    from clearcnn.training import Pace, Watch

VALIDATION_BATCH_SIZE = 512

OnEpochEnd = Callable[[int, dict[str, float]], None]
"""Called with an epoch, counted from 0, and its metrics by Keras's names."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Labelled images to train or validate on.

    Attributes:
      images: (n, height, width, channels).
      labels: (n,) class indices.
      weights: (n,) sample weights; None weighs all images the same.
    """

    images: Pixels
    labels: NDArray[np.integer]
    weights: NDArray[np.floating] | None = None

    @classmethod
    def of(cls, images: LabelledImages, rows: NDArray[np.intp]) -> "Samples":
        """Select the images of these rows."""
        return cls(images.images[rows], images.labels[rows])

    def __len__(self) -> int:
        return len(self.labels)


class Trainer:
    """A model that is ready to be trained, once.

    Args:
      model: the layers.
      spec: how they are trained.
      shape: (height, width, channels) of an image.
      num_classes: classes to tell apart.
      num_train: training images, > 0.
      validation_batch_size: as for `keras.Model.fit`.

    Attributes:
      network: the `keras.Model`, without augmentation.
    """

    def __init__(
        self,
        model: ModelSpec,
        spec: TrainSpec,
        shape: tuple[int, int, int],
        num_classes: int,
        num_train: int,
        validation_batch_size: int = VALIDATION_BATCH_SIZE,
    ) -> None:
        from clearcnn import training

        self._spec, self._num_classes = spec, num_classes
        self._validation_batch_size = validation_batch_size
        self._watch: Watch | None = None
        self._early_stopping: keras.callbacks.EarlyStopping | None = None
        self._on_epoch_end: OnEpochEnd | None = None
        self._finished: list[dict[str, float]] = []
        self._built_at = time.perf_counter()
        self.network: keras.Model = models.build_model(model, shape, num_classes, spec.seed)
        self._trained = self.network
        if spec.augmentation is not None:
            self._trained = training.augment_model(self.network, spec.augmentation, spec.seed)
        training.compile_model(self._trained, spec, num_train)

    def compile(self, train: Samples, validation: Samples | None = None) -> None:
        """Compile the program that `fit` will run on this data; train nothing."""
        from clearcnn import training

        self._run(train, validation, [training.NoEpoch()])

    def measure_pace(self, train: Samples, validation: Samples | None = None) -> "Pace":
        """Compile the program of `fit`, and measure how long an epoch takes; train nothing."""
        from clearcnn import training

        images, targets, weights = self._to_arrays(train)
        stopping = None if validation is None else training.early_stopping(self._spec)
        return training.measure_pace(
            self._trained,
            (images, targets, self._weigh_classes(train.labels, weights)),
            None if validation is None else self._to_arrays(validation),
            batch_size=self._spec.batch_size,
            validation_batch_size=self._validation_batch_size,
            callbacks=[] if stopping is None else [stopping],
        )

    def fit(
        self,
        train: Samples,
        validation: Samples | None = None,
        on_epoch_end: OnEpochEnd | None = None,
        on_compiled: Callable[[], None] | None = None,
        verbose: str | int = 0,
        checkpoint: CheckpointTarget | None = None,
    ) -> History:
        """Train, and leave the weights in the network.

        Args:
          train: the training images.
          validation: the validation images, for early stopping; None trains every epoch.
          on_epoch_end: hears of each epoch, except those before a checkpoint. A
            KeyboardInterrupt that it raises is a call of `stop`; any other error ends the training.
          on_compiled: called when the program is compiled and the first epoch begins.
          verbose: as for `keras.Model.fit`.
          checkpoint: as for `clearcnn.fit`.
        Raises:
          DivergenceError: loss or weights became NaN or infinite; `history` has the epochs before.
          KeyboardInterrupt: from `stop`.
        """
        from clearcnn import training

        self._on_epoch_end = on_epoch_end
        self._watch = training.Watch(self._end_epoch, self._note_epoch)
        if validation is not None:
            self._early_stopping = training.early_stopping(self._spec)
        callbacks = [each for each in (self._watch, self._early_stopping) if each is not None]
        if on_compiled is not None:
            from clearcnn.workflows.fitting.compiled_callback import CompiledCallback

            callbacks.append(CompiledCallback(on_compiled))
        self._run(train, validation, callbacks, verbose, checkpoint)
        assert self.history is not None
        return self.history

    def _run(
        self,
        train: Samples,
        validation: Samples | None,
        callbacks: "list[keras.callbacks.Callback]",
        verbose: str | int = 0,
        checkpoint: CheckpointTarget | None = None,
    ) -> None:
        from clearcnn import training

        images, targets, weights = self._to_arrays(train)
        if self._spec.whitening:
            training.whiten_first_convolution(self.network, images, self._spec.seed)
        training.fit(
            self._trained,
            images,
            targets,
            batch_size=self._spec.batch_size,
            epochs=self._spec.epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_data=None if validation is None else self._to_arrays(validation),
            sample_weight=self._weigh_classes(train.labels, weights),
            validation_batch_size=self._validation_batch_size,
            seed=self._spec.seed,
            checkpoint=checkpoint,
        )

    def _weigh_classes(
        self, labels: NDArray[np.integer], weights: NDArray[np.floating] | None
    ) -> NDArray[np.floating] | None:
        """Multiply the weights of the images, (n,) or None, by those of their classes."""
        if not self._spec.class_weight_power:
            return weights
        product = models.weigh_images(labels, self._spec.class_weight_power)
        if weights is not None:
            product = product * weights
        return product.astype(np.float32)

    def _to_arrays(
        self, samples: Samples
    ) -> tuple[Pixels, NDArray[np.float32], NDArray[np.floating] | None]:
        """Return images, one-hot labels (n, num_classes), and weights."""
        one_hot = np.eye(self._num_classes, dtype=np.float32)
        return samples.images, one_hot[samples.labels], samples.weights

    def _note_epoch(self, _: int, metrics: dict[str, float]) -> None:
        self._finished.append(metrics)

    def _end_epoch(self, epoch: int, metrics: dict[str, float]) -> None:
        self._finished.append(metrics)
        if self._on_epoch_end is None:
            return
        try:
            self._on_epoch_end(epoch, dict(metrics))
        except KeyboardInterrupt:
            # The compiled program may have run several epochs, whose metrics are still to come.
            self.stop()
        except Exception:
            # Ctrl-C also kills the reader of a pipe, as in `| tee log`; printing then fails.
            if not self.interrupted:
                raise

    def stop(self) -> None:
        """End the training after the current epoch, and keep its weights, not the best ones.

        Raises:
          KeyboardInterrupt: no epoch is finished, or the training was stopped before.
        """
        if self._watch is None or not self._finished or self.interrupted:
            raise KeyboardInterrupt
        self._watch.interrupt()
        if self._early_stopping is not None:
            self._early_stopping.restore_best_weights = False

    @property
    def interrupted(self) -> bool:
        """Whether `stop` ended the training early."""
        return self._watch is not None and self._watch.interrupted

    @property
    def compiled_at(self) -> float:
        """`time.perf_counter()` when the program was compiled and the first epoch began."""
        return self._built_at if self._watch is None else self._watch.begun

    @property
    def history(self) -> History | None:
        """The finished epochs; None before the first one."""
        if not self._finished:
            return None
        metrics = {name: tuple(row[name] for row in self._finished) for name in self._finished[0]}
        best = len(self._finished) - 1
        if self._early_stopping is not None and not self.interrupted:
            best = self._early_stopping.best_epoch
        return History(metrics, best)


def predict_probabilities(network: "keras.Model", images: Pixels) -> NDArray[np.float32]:
    """Compute the probabilities of images, float32 (n, num_classes)."""
    from clearcnn import training

    return training.predict(network, images)
