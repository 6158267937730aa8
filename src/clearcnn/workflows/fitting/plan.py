"""The plan of a training: all decisions that need no Keras."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from clearcnn import models
from clearcnn.contract import InputContract, ResizeRule
from clearcnn.data import LabelledImages, Split, infer_polarity
from clearcnn.pixel_range import PixelRange
from clearcnn.results.train import ClassCount, DataSummary, ModelSummary
from clearcnn.specs import DataSpec, ModelSpec, SplitSpec, TrainSpec
from clearcnn.types import Arguments, Pixels
from clearcnn.workflows.fitting.augmentation_choice import choose_augmentation

_NEAR_DEVIATIONS = 0.1
_LEAST_BACKGROUND_SHARE = 0.5


@dataclasses.dataclass(frozen=True)
class TrainPlan:
    """Data, model and training, with their summaries for people."""

    recipe: str
    images: LabelledImages
    data_spec: DataSpec
    splits: Split
    split_spec: SplitSpec
    model_spec: ModelSpec
    train_spec: TrainSpec
    data_summary: DataSummary
    model_summary: ModelSummary


def plan_training(
    images: LabelledImages,
    splits: Split,
    *,
    recipe: str,
    seed: int,
    data_spec: DataSpec,
    split_spec: SplitSpec,
    model: ModelSpec | Path | str | None = None,
    settings: Arguments | None = None,
    summary: DataSummary | None = None,
    augment: Sequence[str] | None = None,
    flip: bool | None = None,
) -> TrainPlan:
    """Choose the model and its training, from the training set alone.

    Args:
      images: all images of the source.
      splits: the rows of training, validation and test set.
      recipe: its name.
      seed: of the initial weights, shuffling, dropout and augmentation.
      data_spec, split_spec: how images and splits were made.
      model: layers that replace the recipe's; a spec, or the path of a TOML file.
      settings: fields of TrainSpec that replace the recipe's.
      summary: of images and splits, if it was made already.
      augment, flip: as for `choose_augmentation`.
    Raises:
      ClearCNNError: there is no such recipe, or the model is invalid.
    """
    model_spec, train_spec, model_summary = choose_training(
        images.images[splits.train],
        len(images.class_names),
        recipe=recipe,
        seed=seed,
        model=model,
        settings=settings,
        augment=augment,
        flip=flip,
    )
    if recipe == "default" and "class_weight_power" not in (settings or {}):
        power = models.choose_class_weight_power(images.labels[splits.train])
        # The validation loss weighs every image the same: the epoch of its minimum, before the
        # small classes are learnt, is not the best one.
        patience = None if power else train_spec.patience
        train_spec = dataclasses.replace(train_spec, class_weight_power=power, patience=patience)
    return TrainPlan(
        recipe=recipe,
        images=images,
        data_spec=data_spec,
        splits=splits,
        split_spec=split_spec,
        model_spec=model_spec,
        train_spec=train_spec,
        data_summary=summary or summarize_data(images, splits),
        model_summary=model_summary,
    )


def choose_training(
    images: Pixels,
    num_classes: int,
    *,
    recipe: str,
    seed: int,
    model: ModelSpec | Path | str | None = None,
    settings: Arguments | None = None,
    augment: Sequence[str] | None = None,
    flip: bool | None = None,
) -> tuple[ModelSpec, TrainSpec, ModelSummary]:
    """Choose the layers and how they are trained.

    Args:
      images: the training images, (n, height, width, channels).
      num_classes: number of classes.
      recipe, seed, model, settings, augment, flip: as for `plan_training`.
    Returns:
      The model, its training, and the summary of the model.
    Raises:
      ClearCNNError: as `plan_training`.
    """
    found = models.find_recipe(recipe)
    shape, statistics = images.shape[1:], measure_pixels(images)
    if model is None:
        model_spec = found.make_model(shape, num_classes, statistics)
    elif isinstance(model, ModelSpec):
        model_spec = model
    else:
        model_spec = models.read_model(Path(model), shape)
    train_spec = found.make_training(shape, len(images), statistics, seed)
    if model is not None:
        # The first layers may be any.
        train_spec = dataclasses.replace(train_spec, whitening=False)
    chosen = choose_augmentation(train_spec.augmentation, augment, flip)
    train_spec = dataclasses.replace(train_spec, augmentation=chosen)
    if 1 in shape[:2]:
        # A single row of values is not an image that may be shifted and rotated.
        train_spec = dataclasses.replace(train_spec, augmentation=None)
    train_spec = dataclasses.replace(train_spec, **(settings or {}))
    return model_spec, train_spec, models.check_output(model_spec, shape, num_classes)


def summarize_data(images: LabelledImages, splits: Split) -> DataSummary:
    """Count the images of each class and split, and describe them."""
    pixels = images.images
    counts = {
        name: np.bincount(images.labels[rows], minlength=len(images.class_names))
        for name, rows in dataclasses.asdict(splits).items()
    }
    classes = tuple(
        ClassCount(
            name,
            int(sum(count[k] for count in counts.values())),
            *(int(counts[split][k]) for split in ("train", "validation", "test")),
        )
        for k, name in enumerate(images.class_names)
    )
    return DataSummary(
        source=images.source,
        shape=pixels.shape[:3] if pixels.shape[3] == 1 else pixels.shape,
        dtype=str(pixels.dtype),
        value_range=images.value_range,
        observed_range=(float(pixels.min()), float(pixels.max())),
        classes=classes,
        train=len(splits.train),
        validation=len(splits.validation),
        test=len(splits.test),
        num_groups=None if images.groups is None else len(np.unique(images.groups)),
        preparation=images.preparation,
        skipped=images.skipped,
        content_hash=images.content_hash,
    )


def describe_input(plan: TrainPlan) -> InputContract:
    """Describe the input of the network; the polarity is that of the training set."""
    images = plan.images
    training = images.images[plan.splits.train]
    height, width, channels = images.images.shape[1:]
    return InputContract(
        shape=(height, width, channels),
        dtype=str(images.images.dtype),
        value_range=images.value_range,
        color_mode="grayscale" if channels == 1 else "rgb",
        polarity=infer_polarity(training, images.value_range),
        resize=ResizeRule(images.resize_filter, images.background),
        pixel_range=PixelRange.of(training.reshape(len(training), -1)),
    )


def measure_pixels(images: Pixels) -> models.PixelStatistics:
    """Compute the pixel statistics that recipes depend on.

    Args:
      images: the training images, (n, height, width, channels).
    """
    mean, deviation = float(images.mean(dtype=np.float64)), float(images.std(dtype=np.float64))
    return models.PixelStatistics(mean, deviation, _find_ground(images, lambda: deviation))


def find_ground(images: Pixels) -> float | None:
    """Find the ground of `measure_pixels`, in a quarter of the time if they are photographs."""
    return _find_ground(images, lambda: float(images.std(dtype=np.float64)))


def _find_ground(images: Pixels, measure_deviation: Callable[[], float]) -> float | None:
    """Return the value that most edge pixels have, within a tenth of the deviation, or None."""
    rows, columns = images[:, [0, -1]], images[:, 1:-1, [0, -1]]
    edge = np.concatenate([rows.ravel(), columns.ravel()]).astype(np.float64)
    value = float(np.median(edge))
    distances = np.abs(edge - value)

    def is_ground(deviation: float) -> bool:
        share = float(np.mean(distances <= _NEAR_DEVIATIONS * deviation))
        return share >= _LEAST_BACKGROUND_SHARE

    # No deviation is larger than half the range (Popoviciu), which takes much less time.
    largest = (float(images.max()) - float(images.min())) / 2
    return value if is_ground(largest) and is_ground(measure_deviation()) else None
