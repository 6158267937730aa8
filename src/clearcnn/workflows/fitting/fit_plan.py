"""Train the model of a plan, and score it once."""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from clearcnn import evaluation
from clearcnn.errors import DivergenceError
from clearcnn.results.scores import Evaluation
from clearcnn.results.train import History
from clearcnn.workflows.fitting.interrupt import first_interrupt
from clearcnn.workflows.fitting.listeners import TrainListener
from clearcnn.workflows.fitting.phase_timer import Clock
from clearcnn.workflows.fitting.plan import TrainPlan
from clearcnn.workflows.fitting.trainer import Trainee

_PREDICT_BATCH = 256


@dataclass(frozen=True, eq=False)
class FitOutcome:
    """How a training ended.

    Attributes:
      network: the `keras.Model`, without augmentation.
      history: None if no epoch was good.
      interrupted: whether somebody stopped it early.
      divergence: what ended it before its time, if its numbers stopped being finite; the network
        is as the epochs before left it.
    """

    network: Any
    history: History | None
    interrupted: bool
    divergence: DivergenceError | None


def try_plan(
    plan: TrainPlan, listener: TrainListener, clock: Clock, checkpoint: Any = None
) -> FitOutcome:
    """Build, compile and train, and take what comes.

    Args:
      plan: what to train on what.
      listener: hears of every epoch.
      clock: is told the seconds of each phase.
      checkpoint: as for `clearcnn.fit`.
    """
    with clock.phase("load Keras"):
        from clearcnn import training  # noqa: F401
    images, parts, spec = plan.images, plan.split, plan.train_spec
    targets = np.eye(len(images.class_names), dtype=np.float32)[images.labels]

    def take(rows: Any) -> tuple[Any, Any, None]:
        return images.images[rows], targets[rows], None

    with clock.phase("build"):
        shape = images.images.shape[1:]
        trainee = Trainee(plan.model_spec, spec, shape, targets.shape[1], len(parts.train))
    validation = take(parts.validation) if len(parts.validation) else None
    listener.on_train_begin(spec.epochs)
    interrupted = False
    divergence = None

    def stop() -> None:
        nonlocal interrupted
        if interrupted or trainee.history is None:
            raise KeyboardInterrupt
        interrupted = True
        trainee.stop()

    def hear(epoch: int, metrics: dict[str, float]) -> None:
        try:
            listener.on_epoch_end(epoch, metrics)
        except KeyboardInterrupt:
            # Several epochs may be trained at once: the rest of them is heard, too.
            stop()
        except Exception:
            # Ctrl-C ends the reader of what is printed, too, as in `| tee log`.
            if not interrupted:
                raise

    start = time.perf_counter()
    with first_interrupt(stop):
        try:
            trainee.fit(take(parts.train), validation, hear, checkpoint=checkpoint)
        except DivergenceError as error:
            divergence = error
    clock.seconds["compile"] = trainee.begun - start
    clock.seconds["fit"] = time.perf_counter() - trainee.begun
    if trainee.history is not None:
        listener.on_train_end(trainee.history, interrupted)
    return FitOutcome(trainee.network, trainee.history, interrupted, divergence)


def score_plan(plan: TrainPlan, network: Any) -> tuple[Any, Evaluation]:
    """Give the probabilities of the test part, float32 (n, classes), and what they are worth."""
    images, rows = plan.images, plan.split.test
    probabilities = network.predict(images.images[rows], batch_size=_PREDICT_BATCH, verbose=0)
    names = [images.names[row] for row in rows]
    return probabilities, evaluation.evaluate_predictions(
        images.labels[rows], probabilities, images.class_names, rows, names
    )
