"""Suspect labels: what models say of images that they were not trained on."""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from clearcnn import evaluation
from clearcnn.data import LabelledImages
from clearcnn.results.check import Suspect
from clearcnn.workflows.evaluate.cross_validate import (
    Candidate,
    fit_fold,
    plan_fold,
    run_in_parallel,
    share_sizes,
)

FEWEST_OF_A_CLASS = 5
_MANY_IMAGES = 10_000
_RECIPE = "default"
# Of 100 flipped labels among 2,000 MNIST images, a quarter of the recipe's epochs ranked all within
# the first 6 %, as all epochs did in four times as long.
_SHARE_OF_EPOCHS = 1 / 4
_FEWEST_EPOCHS = 6


def count_folds(images: LabelledImages) -> int:
    """Give the trainings it takes: five, or three where there are many images."""
    return 3 if len(images) > _MANY_IMAGES else 5


def find_suspects(
    images: LabelledImages, seed: int, hear: Callable[[], None]
) -> tuple[Suspect, ...]:
    """Train on stratified folds, and list the labels that the others' models do not believe.

    Args:
      images: with at least five of each class.
      seed: of folds and trainings.
      hear: called after each training.
    Returns:
      The suspects, the most suspect first.
    Raises:
      DivergenceError: a training ended in numbers that are not finite, which say nothing of labels.
    """
    labels = images.labels
    folds = evaluation.make_random_folds(labels, num_folds=count_folds(images), repeat=0, seed=seed)
    sizes = share_sizes(folds)
    spec = plan_fold(images, Candidate(_RECIPE), folds[0], sizes[0], seed).train_spec
    epochs = max(_FEWEST_EPOCHS, round(spec.epochs * _SHARE_OF_EPOCHS))
    candidate = Candidate(_RECIPE, _RECIPE, settings={"epochs": epochs})
    probabilities = np.zeros((len(images), len(images.class_names)), np.float32)
    tasks = [
        partial(fit_fold, images, candidate, fold, size, seed + number)
        for number, (fold, size) in enumerate(zip(folds, sizes, strict=True))
    ]
    for _, answers in run_in_parallel(tasks):
        if answers.divergence is not None:
            raise answers.divergence
        probabilities[answers.fold.test] = answers.probabilities
        hear()
    return _describe(images, probabilities, evaluation.find_suspects(labels, probabilities))


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
