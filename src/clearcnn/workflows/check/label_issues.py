"""Suspect labels: out-of-fold predictions that contradict them."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from clearcnn import evaluation
from clearcnn.data import LabelledImages
from clearcnn.evaluation import Fold
from clearcnn.language import say
from clearcnn.report.number_format import flip_sentence
from clearcnn.results.check import Suspect
from clearcnn.workflows.evaluate.cross_validate import (
    Candidate,
    FoldOutcome,
    fit_fold,
    plan_fold,
    settle_flips,
)
from clearcnn.workflows.evaluate.in_parallel import train_in_parallel
from clearcnn.workflows.fitting.budget import add_smaller_size, require_budget, say_seconds
from clearcnn.workflows.fitting.costs import predict_seconds
from clearcnn.workflows.fitting.fit_plan import measure_pace

FEWEST_OF_A_CLASS = 5
# Folds by the number of images: with more of them, a model that was trained on a part still knows
# the classes well enough to contradict a label.
_FOLDS = ((1_000, 5), (10_000, 3), (math.inf, 2))
_MOST_TRAINED = 15_000
_RECIPE = "default"
# With 100 flipped labels among 2,000 MNIST images, a quarter of the recipe's epochs ranked all of
# them within the first 6 %, the same as all epochs in four times the time.
_SHARE_OF_EPOCHS = 1 / 4
_FEWEST_EPOCHS = 6


@dataclass(frozen=True, eq=False)
class LabelCheck:
    """The trainings that look for label issues.

    Attributes:
      images: at least five of each class.
      candidate: how they are trained.
      folds: to train and to predict on.
      num_train: the images that each is trained on.
      seed: of the first training; each later one has the next.
    """

    images: LabelledImages
    candidate: Candidate
    folds: list[Fold]
    num_train: int
    seed: int

    @property
    def epochs(self) -> int:
        """The epochs of each training."""
        return int(str(self.candidate.settings["epochs"]))


@dataclass(frozen=True)
class LabelIssues:
    """What the trainings say about the labels.

    Attributes:
      suspects: labels that are probably wrong, the most suspect first.
      num_checked: labels.
      num_contradicted: labels other than the class that the models predict.
    """

    suspects: tuple[Suspect, ...]
    num_checked: int
    num_contradicted: int


def plan_label_check(
    images: LabelledImages,
    seed: int,
    *,
    epochs: int | None = None,
    augment: tuple[str, ...] | None = None,
    flip: bool | None = None,
    on_finding: Callable[[str], None],
) -> LabelCheck:
    """Choose folds, images and epochs, and decide whether images are mirrored.

    Args:
      images: at least five of each class.
      seed: of folds and trainings.
      epochs: None takes a quarter of the recipe's.
      augment, flip: as for `choose_augmentation`.
      on_finding: hears of a flip trial.
    """
    folds = evaluation.make_random_folds(
        images.labels, num_folds=_count_folds(len(images)), repeat=0, seed=seed
    )
    num_train = min(*(len(fold.train) for fold in folds), _MOST_TRAINED)
    candidate = Candidate(_RECIPE, _RECIPE, augment=augment, flip=flip)
    candidate, trial = settle_flips(images, candidate, folds[0], seed)
    if trial is not None:
        on_finding(flip_sentence(trial))
    if epochs is None:
        spec = plan_fold(images, candidate, folds[0], num_train, seed).train_spec
        epochs = max(_FEWEST_EPOCHS, round(spec.epochs * _SHARE_OF_EPOCHS))
    candidate = replace(candidate, settings={"epochs": epochs})
    return LabelCheck(images, candidate, folds, num_train, seed)


def fit_label_check(
    check: LabelCheck, budget: float | None, begun: float
) -> tuple[LabelCheck, str]:
    """Measure the pace; with a budget, reduce the epochs until the trainings fit.

    Args:
      check: the trainings.
      budget: seconds for everything; None keeps the epochs.
      begun: `time.perf_counter()` at the beginning.
    Returns:
      The trainings, and a sentence of how much they have to do.
    Raises:
      SpecError: the budget is too small for two epochs.
    """
    spent = time.perf_counter() - begun
    plan = plan_fold(check.images, check.candidate, check.folds[0], check.num_train, check.seed)
    pace = measure_pace(plan)
    number, epochs = len(check.folds), check.epochs
    predicting = predict_seconds(len(check.images), check.num_train, pace.epoch_seconds)
    if budget is not None:
        fixed = spent + pace.compile_seconds + predicting
        each = number * pace.epoch_seconds
        require_budget(
            budget, fixed + 2 * each, say("{number} trainings of 2 epochs", number=number)
        )
        epochs = min(epochs, int((budget - fixed) / each))
        check = replace(check, candidate=replace(check.candidate, settings={"epochs": epochs}))
    seconds = number * epochs * pace.epoch_seconds + predicting
    work = say(
        "{number} folds × {epochs} epochs of {num_train:,} images to check the labels, "
        "about {seconds}",
        number=number,
        epochs=epochs,
        num_train=check.num_train,
        seconds=say_seconds(seconds),
    )
    return check, add_smaller_size(work, plan)


def find_suspects(check: LabelCheck, on_step: Callable[[], None]) -> LabelIssues:
    """Cross-validate, and list the labels that are probably wrong.

    Args:
      check: the trainings.
      on_step: called after each training.
    Raises:
      DivergenceError: a training diverged, so its predictions say nothing about labels.
    """
    images = check.images
    probabilities = np.zeros((len(images), len(images.class_names)), np.float32)
    tasks = [
        partial(fit_fold, images, check.candidate, fold, check.num_train, check.seed + number)
        for number, fold in enumerate(check.folds)
    ]

    def collect(_: int, outcome: FoldOutcome) -> None:
        if outcome.divergence is not None:
            raise outcome.divergence
        probabilities[outcome.fold.test] = outcome.probabilities
        on_step()

    train_in_parallel(tasks, collect)
    rows = evaluation.find_suspects(images.labels, probabilities)
    num_contradicted = int((probabilities.argmax(axis=1) != images.labels).sum())
    return LabelIssues(_describe(images, probabilities, rows), len(images), num_contradicted)


def _count_folds(num_images: int) -> int:
    return next(folds for most, folds in _FOLDS if num_images <= most)


def _describe(
    images: LabelledImages, probabilities: NDArray[np.float32], rows: NDArray[np.intp]
) -> tuple[Suspect, ...]:
    return tuple(
        Suspect(
            index=row,
            name=images.names[row],
            label=images.class_names[images.labels[row]],
            suggestion=images.class_names[int(probabilities[row].argmax())],
            confidence=float(probabilities[row, images.labels[row]]),
            suggested_confidence=float(probabilities[row].max()),
        )
        for row in rows.tolist()
    )
