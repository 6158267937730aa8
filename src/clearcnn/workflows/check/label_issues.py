"""Suspect labels: out-of-fold predictions that contradict them."""

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
# With 100 flipped labels among 2,000 MNIST images, a quarter of the recipe's epochs ranked all of
# them within the first 6 %, the same as all epochs in four times the time.
_SHARE_OF_EPOCHS = 1 / 4
_FEWEST_EPOCHS = 6


def count_folds(images: LabelledImages) -> int:
    """Return the number of trainings: five, or three if there are many images."""
    return 3 if len(images) > _MANY_IMAGES else 5


def find_suspects(
    images: LabelledImages, seed: int, on_step: Callable[[], None]
) -> tuple[Suspect, ...]:
    """Cross-validate, and list the labels that the out-of-fold predictions contradict.

    Args:
      images: at least five of each class.
      seed: of folds and trainings.
      on_step: called after each training.
    Returns:
      The suspects, the most suspect first.
    Raises:
      DivergenceError: a training diverged, so its predictions say nothing about labels.
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
    for _, outcome in run_in_parallel(tasks):
        if outcome.divergence is not None:
            raise outcome.divergence
        probabilities[outcome.fold.test] = outcome.probabilities
        on_step()
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
