"""Train the model of a plan, and score it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearcnn import evaluation
from clearcnn.checkpoints import CheckpointTarget
from clearcnn.data import LabelledImages
from clearcnn.errors import DivergenceError
from clearcnn.results.pictures import Pictures
from clearcnn.results.scores import Evaluation
from clearcnn.results.train import History
from clearcnn.workflows.fitting.compile_meanwhile import compile_meanwhile
from clearcnn.workflows.fitting.import_meanwhile import import_meanwhile
from clearcnn.workflows.fitting.interrupt import first_interrupt
from clearcnn.workflows.fitting.listeners import TrainListener
from clearcnn.workflows.fitting.phase_timer import PhaseTimer
from clearcnn.workflows.fitting.plan import TrainPlan
from clearcnn.workflows.fitting.trainer import (
    VALIDATION_BATCH_SIZE,
    Samples,
    Trainer,
    predict_probabilities,
)

if TYPE_CHECKING:
    import keras

    from clearcnn.training import Pace


_MOST_PICTURES = 24


@dataclass(frozen=True, eq=False)
class FitOutcome:
    """How a training ended.

    Attributes:
      network: the `keras.Model`, without augmentation.
      history: None if no epoch had finite numbers.
      interrupted: whether Ctrl-C stopped it early.
      divergence: the error if loss or weights became NaN or infinite; the network then has the
        weights from before.
    """

    network: "keras.Model"
    history: History | None
    interrupted: bool
    divergence: DivergenceError | None


def make_trainer(plan: TrainPlan, validation_batch_size: int = VALIDATION_BATCH_SIZE) -> Trainer:
    """Build and compile the model of a plan."""
    images = plan.images
    return Trainer(
        plan.model_spec,
        plan.train_spec,
        images.images.shape[1:],
        len(images.class_names),
        len(plan.splits.train),
        validation_batch_size,
    )


def measure_pace(plan: TrainPlan) -> "Pace":
    """Compile the program of a plan's training, and measure how long an epoch takes."""
    trainer = make_trainer(plan)
    train = Samples.of(plan.images, plan.splits.train)
    validation = None
    if len(plan.splits.validation):
        validation = Samples.of(plan.images, plan.splits.validation)
    return trainer.measure_pace(train, validation)


def fit_plan(
    plan: TrainPlan,
    listener: TrainListener,
    clock: PhaseTimer,
    checkpoint: CheckpointTarget | None = None,
    needed_later: Sequence[str] = (),
) -> FitOutcome:
    """Build, compile and train; an interruption or divergence is part of the outcome.

    Args:
      plan: the data, the model and the training.
      listener: hears of every epoch.
      clock: records the seconds of each phase.
      checkpoint: as for `clearcnn.fit`.
      needed_later: modules to import during the training.
    Raises:
      KeyboardInterrupt: Ctrl-C before the end of the first epoch, or for the second time.
    """
    with clock.phase("load Keras"):
        from clearcnn import training
    with clock.phase("build"):
        trainer = make_trainer(plan)
    train = Samples.of(plan.images, plan.splits.train)
    validation = None
    if len(plan.splits.validation):
        validation = Samples.of(plan.images, plan.splits.validation)
    listener.on_train_begin(plan.train_spec.epochs)
    divergence = None

    def compile_predictions() -> None:
        training.compile_predict(trainer.network, len(plan.splits.test))

    start = time.perf_counter()
    with (
        import_meanwhile(needed_later),
        compile_meanwhile(compile_predictions) as compile_next,
        first_interrupt(trainer.stop),
    ):

        def begin() -> None:
            listener.on_compiled()
            compile_next()

        try:
            trainer.fit(train, validation, listener.on_epoch_end, begin, checkpoint=checkpoint)
        except DivergenceError as error:
            divergence = error
    clock.seconds["compile"] = trainer.compiled_at - start
    clock.seconds["fit"] = time.perf_counter() - trainer.compiled_at
    if trainer.history is not None:
        listener.on_train_end(trainer.history, trainer.interrupted)
    return FitOutcome(trainer.network, trainer.history, trainer.interrupted, divergence)


def score_plan(plan: TrainPlan, network: "keras.Model") -> tuple[NDArray[np.float32], Evaluation]:
    """Compute the probabilities of the test set, float32 (n, classes), and score them."""
    rows = plan.splits.test
    probabilities = predict_probabilities(network, plan.images.images[rows])
    return probabilities, score_predictions(plan.images, rows, probabilities)


def score_predictions(
    images: LabelledImages,
    rows: NDArray[np.intp],
    probabilities: NDArray[np.float32],
    calibrated: NDArray[np.floating] | None = None,
) -> Evaluation:
    """Score predictions.

    Args:
      images: all images of the source.
      rows: those that were predicted.
      probabilities: (n, num_classes), one row for each of `rows`.
      calibrated: the same at a temperature, which are the confidence of mistakes; None takes
        `probabilities`.
    Raises:
      SpecError: a probability is NaN or infinite.
    """
    names = [images.names[row] for row in rows]
    return evaluation.evaluate_predictions(
        images.labels[rows], probabilities, images.class_names, rows, names, calibrated
    )


def show_mistakes(scored: Evaluation, images: LabelledImages) -> Pictures:
    """Take the images of the most confident mistakes, to be shown in a notebook.

    Args:
      scored: with its mistakes.
      images: all images of the source.
    """
    rows = [mistake.index for mistake in scored.mistakes[:_MOST_PICTURES]]
    return Pictures(images.images[np.asarray(rows, dtype=np.intp)], images.value_range)
