"""Train one model on one fold, and predict the fold's test images."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcnn import evaluation, models
from clearcnn.data import LabelledImages, Split, choose_validation_fraction
from clearcnn.errors import DivergenceError
from clearcnn.evaluation import Fold
from clearcnn.results.train import FlipTrial
from clearcnn.specs import DataSpec, ModelSpec, SplitSpec
from clearcnn.types import Pixels
from clearcnn.workflows.evaluate.in_parallel import TrainingStoppedError
from clearcnn.workflows.fitting.easy_images import adapt_to_easy_images
from clearcnn.workflows.fitting.fit_plan import fit_plan
from clearcnn.workflows.fitting.flip_trial import try_flips
from clearcnn.workflows.fitting.listeners import TrainListener
from clearcnn.workflows.fitting.phase_timer import PhaseTimer
from clearcnn.workflows.fitting.plan import TrainPlan, plan_training
from clearcnn.workflows.fitting.trainer import predict_probabilities

Rows = NDArray[np.intp]
MOST_BASELINE_IMAGES = 10_000


@dataclass(frozen=True)
class Candidate:
    """A CNN to be trained from scratch on every fold.

    Attributes:
      name: the recipe or the model file.
      recipe: its name.
      model: the layers, in place of the recipe's.
      settings: fields of TrainSpec that replace the recipe's.
      augment, flip: as for `choose_augmentation`.
      trial: the trial that decided `flip`; None if the user did, or nothing did yet.
    """

    name: str
    recipe: str = "default"
    model: ModelSpec | Path | None = None
    settings: dict[str, object] = field(default_factory=dict)
    augment: tuple[str, ...] | None = None
    flip: bool | None = None
    trial: FlipTrial | None = None


@dataclass(frozen=True, eq=False)
class FoldOutcome:
    """The predictions of one model for the test images of one fold.

    Attributes:
      fold: the rows to train and to test on.
      seed: of the training.
      num_train: training and validation images.
      predictions: (m,) int, a class for each row of `fold.test`.
      probabilities: (m, num_classes) float32; None for a baseline.
      temperature: fitted on the validation set; None without one.
      distorted: accuracy, in [0, 1], by distortion.
      divergence: the error if the training diverged; the predictions then use the last finite
        weights, which are the initial ones if it diverged in the first epoch.
    """

    fold: Fold
    seed: int
    num_train: int
    predictions: NDArray[np.int_]
    probabilities: NDArray[np.float32] | None = None
    temperature: float | None = None
    distorted: dict[str, float] = field(default_factory=dict)
    divergence: DivergenceError | None = None


@dataclass(frozen=True)
class ComparedCNN:
    """What baselines take from the CNN that they are compared with.

    Attributes:
      num_parameters: for the multilayer perceptron of the same size.
      class_weight_power: the weight of an image is n^-power, of n images of its class.
    """

    num_parameters: int
    class_weight_power: float = 0.0


def plan_fold(
    images: LabelledImages, candidate: Candidate, fold: Fold, num_train: int, seed: int
) -> TrainPlan:
    """Split a fold's training rows into training and validation sets, and plan the training.

    Args:
      images: all images of the source.
      candidate: what to train.
      fold: the rows to train and to test on.
      num_train: how many of the training rows to use, drawn at random and stratified.
      seed: of these draws, the initial weights, shuffling, dropout and augmentation.
    """
    rows = _draw_stratified(images.labels, fold.train, num_train, seed)
    classes = np.unique(images.labels[rows], return_counts=True)[1]
    num_validation = int(choose_validation_fraction(len(rows)) * len(rows))
    if num_validation < len(classes) or classes.min() < 2:
        train, validation = rows, rows[:0]
    else:
        train = _draw_stratified(images.labels, rows, len(rows) - num_validation, seed)
        validation = np.setdiff1d(rows, train)
    plan = plan_training(
        images,
        Split(train, validation, fold.test),
        recipe=candidate.recipe,
        seed=seed,
        data_spec=DataSpec(images.source),
        split_spec=SplitSpec(seed=seed),
        model=candidate.model,
        settings=candidate.settings,
        augment=candidate.augment,
        flip=candidate.flip,
    )
    return adapt_to_easy_images(plan, candidate.trial, candidate.settings)


def settle_flips(
    images: LabelledImages, candidate: Candidate, fold: Fold, seed: int
) -> tuple[Candidate, FlipTrial | None]:
    """Decide once whether the trainings of a candidate mirror images.

    A trial for each fold would take longer than the trainings of many sets. This one sees the
    training rows of one fold only.

    Returns:
      The candidate, and the trial; None if none was made.
    """
    trial = try_flips(plan_fold(images, candidate, fold, len(fold.train), seed))[1]
    if trial is None:
        return candidate, None
    return replace(candidate, flip=trial.is_harmless, trial=trial), trial


def fit_fold(
    images: LabelledImages,
    candidate: Candidate,
    fold: Fold,
    num_train: int,
    seed: int,
    *,
    is_distorted: bool = False,
    listener: TrainListener | None = None,
) -> FoldOutcome:
    """Train a CNN on a fold's training rows, and predict its test images.

    Args:
      images, candidate, fold, num_train, seed: as for `plan_fold`.
      is_distorted: whether to predict the distorted test images too.
      listener: hears of the training.
    Raises:
      TrainingStoppedError: the listener ended the training early.
    """
    plan, trial = try_flips(plan_fold(images, candidate, fold, num_train, seed))
    plan = adapt_to_easy_images(plan, trial, candidate.settings)
    outcome = fit_plan(plan, listener or TrainListener(), PhaseTimer())
    if outcome.interrupted:
        raise TrainingStoppedError

    def predict(pixels: Pixels) -> NDArray[np.float32]:
        probabilities = predict_probabilities(outcome.network, pixels).copy()
        # After a divergence they may be NaN: then all classes are equally probable.
        is_finite = np.isfinite(probabilities).all(axis=1)
        probabilities[~is_finite] = 1 / probabilities.shape[1]
        return probabilities

    probabilities = predict(images.images[fold.test])
    validation = plan.splits.validation
    temperature = None
    if len(validation):
        temperature = evaluation.fit_temperature(
            images.labels[validation], predict(images.images[validation])
        )
    distorted = {}
    if is_distorted:
        distorted = measure_distorted(
            images, fold.test, lambda pixels: predict(pixels).argmax(axis=1)
        )
    return FoldOutcome(
        fold,
        seed,
        len(plan.splits.train) + len(validation),
        probabilities.argmax(axis=1),
        probabilities,
        temperature,
        distorted,
        outcome.divergence,
    )


def flatten_for_baselines(pixels: Pixels) -> Pixels:
    """Return images as the baselines see them, (n, values); large ones are reduced."""
    return evaluation.shrink_for_baselines(pixels).reshape(len(pixels), -1)


def fit_baseline(
    images: LabelledImages,
    flat: Pixels,
    name: str,
    fold: Fold,
    cnn: ComparedCNN,
    seed: int,
    is_distorted: bool = False,
) -> FoldOutcome:
    """Train a baseline on all of a fold's training rows, at most 10,000 of them.

    Args:
      images, fold: as for `fit_fold`.
      flat: all images, from `flatten_for_baselines`.
      name: of the baseline.
      cnn: that it is compared with.
      seed: of the baseline and of the rows drawn.
      is_distorted: whether to predict the distorted test images too.
    """
    num_train = min(len(fold.train), MOST_BASELINE_IMAGES)
    rows = _draw_stratified(images.labels, fold.train, num_train, seed)
    classifier = evaluation.make_baselines(
        flat.shape[1],
        len(images.class_names),
        cnn.num_parameters,
        images.value_range,
        seed,
        _weigh_classes(images.labels[rows], cnn.class_weight_power),
    )[name]
    classifier.fit(flat[rows], images.labels[rows])

    def predict(seen: Pixels) -> NDArray[np.int_]:
        return np.asarray(classifier.predict(seen))

    distorted = {}
    if is_distorted:
        distorted = measure_distorted(
            images, fold.test, lambda pixels: predict(flatten_for_baselines(pixels))
        )
    return FoldOutcome(fold, seed, len(rows), predict(flat[fold.test]), distorted=distorted)


def _weigh_classes(labels: NDArray[np.integer], power: float) -> dict[int, float] | None:
    """Weigh classes for scikit-learn; None weighs them the same."""
    if not power:
        return None
    return dict(zip(labels.tolist(), models.weigh_images(labels, power).tolist(), strict=True))


def measure_distorted(
    images: LabelledImages, rows: Rows, predict: Callable[[Pixels], NDArray[np.int_]]
) -> dict[str, float]:
    """Compute the accuracy under each distortion, averaged over its variants."""
    pixels, labels = images.images[rows].astype(np.float32), images.labels[rows]
    # A seed from the rows gives every model the same noise.
    distortions = evaluation.make_distortions(images.value_range, seed=int(rows[0]))
    return {
        name: float(np.mean([np.mean(predict(variant) == labels) for variant in distort(pixels)]))
        for name, distort in distortions.items()
    }


def _draw_stratified(labels: NDArray[np.int64], rows: Rows, number: int, seed: int) -> Rows:
    """Draw rows at random, stratified if each class has enough of them."""
    if number >= len(rows):
        return rows
    from sklearn.model_selection import train_test_split

    found = np.unique(labels[rows], return_counts=True)[1]
    can_stratify = found.min() >= 2 and min(number, len(rows) - number) >= len(found)
    drawn, _ = train_test_split(
        rows,
        train_size=number,
        random_state=seed,
        stratify=labels[rows] if can_stratify else None,
    )
    return np.asarray(drawn)
