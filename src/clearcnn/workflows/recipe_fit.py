"""Train the model of a plan, and score it once."""

import time
from typing import Any

import numpy as np

from clearcnn import evaluation, models
from clearcnn.results import Evaluation, History
from clearcnn.workflows.clock import Clock
from clearcnn.workflows.interruption import first_interrupt
from clearcnn.workflows.listener import TrainListener
from clearcnn.workflows.plan import TrainPlan

_PREDICT_BATCH = 256
_VALIDATION_BATCH = 512


def fit_plan(plan: TrainPlan, listener: TrainListener, clock: Clock) -> tuple[Any, History, bool]:
    """Build, compile and train; give the model without augmentation, and its history."""
    with clock.phase("load Keras"):
        from clearcnn import training
    images, parts, spec = plan.images, plan.split, plan.train_spec
    targets = np.eye(len(images.class_names), dtype=np.float32)[images.labels]
    with clock.phase("build"):
        shape = images.images.shape[1:]
        network = models.build_model(plan.model_spec, shape, targets.shape[1], spec.seed)
        trainee = network
        if spec.augmentation is not None:
            trainee = training.augment_model(network, spec.augmentation, spec.seed)
        training.compile_model(trainee, spec, len(parts.train))
    validation = None
    if len(parts.validation):
        validation = images.images[parts.validation], targets[parts.validation]
    listener.on_train_begin(spec.epochs)
    stopping = training.early_stopping(spec) if validation is not None else None
    finished: list[dict[str, float]] = []
    interrupted = False

    def stop() -> None:
        nonlocal interrupted
        if interrupted or not finished:
            raise KeyboardInterrupt
        interrupted = True
        trainee.stop_training = True
        if stopping:
            stopping.restore_best_weights = False

    def hear(epoch: int, metrics: dict[str, float]) -> None:
        finished.append(metrics)
        try:
            listener.on_epoch_end(epoch, dict(metrics))
        except KeyboardInterrupt:
            # Several epochs may be trained at once: the rest of them is heard, too.
            stop()

    watch = training.Watch(hear)
    start = time.perf_counter()
    with first_interrupt(stop):
        training.fit(
            trainee,
            images.images[parts.train],
            targets[parts.train],
            batch_size=spec.batch_size,
            epochs=spec.epochs,
            verbose=0,
            callbacks=[watch, *([stopping] if stopping else [])],
            validation_data=validation,
            validation_batch_size=_VALIDATION_BATCH,
            seed=spec.seed,
        )
    clock.seconds["compile"] = watch.begun - start
    clock.seconds["fit"] = time.perf_counter() - watch.begun
    metrics = {name: tuple(row[name] for row in finished) for name in finished[0]}
    best = len(finished) - 1
    if stopping and not interrupted:
        best = stopping.best_epoch
    history = History(metrics, best)
    listener.on_train_end(history, interrupted)
    return network, history, interrupted


def score_plan(plan: TrainPlan, network: Any) -> tuple[Any, Evaluation]:
    """Give the probabilities of the test part, float32 (n, classes), and what they are worth."""
    images, rows = plan.images, plan.split.test
    probabilities = network.predict(images.images[rows], batch_size=_PREDICT_BATCH, verbose=0)
    names = [images.names[row] for row in rows]
    return probabilities, evaluation.evaluate_predictions(
        images.labels[rows], probabilities, images.class_names, rows, names
    )
