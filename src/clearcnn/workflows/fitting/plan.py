"""Everything about a training that is decided before Keras is loaded."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from clearcnn import models
from clearcnn.contract import InputContract, ResizeRule
from clearcnn.data import LabelledImages, Split, infer_polarity
from clearcnn.results.train import ClassCount, DataSummary, ModelSummary
from clearcnn.specs import DataSpec, ModelSpec, SplitSpec, TrainSpec

_NEAR_DEVIATIONS = 0.1
_LEAST_GROUND_SHARE = 0.5


@dataclasses.dataclass(frozen=True)
class TrainPlan:
    """What is trained on what, and how; and how that looks to people."""

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
    parts: Split,
    *,
    recipe: str,
    seed: int,
    data_spec: DataSpec,
    split_spec: SplitSpec,
    model: ModelSpec | Path | str | None = None,
    settings: Mapping[str, Any] | None = None,
    summary: DataSummary | None = None,
) -> TrainPlan:
    """Decide on the model and its training, by the training part alone.

    Args:
      images: all of them.
      parts: their rows.
      recipe: its name.
      seed: of the first weights, the shuffles, dropout and augmentation.
      data_spec, split_spec: where images and parts came from.
      model: the layers, in place of the recipe's; a spec, or the path of a TOML file.
      settings: of TrainSpec, in place of the recipe's.
      summary: of images and parts, if it was made already.
    Raises:
      ClearCNNError: no such recipe, or the model can't be.
    """
    model_spec, train_spec, model_summary = choose_training(
        images.images[parts.train],
        len(images.class_names),
        recipe=recipe,
        seed=seed,
        model=model,
        settings=settings,
    )
    return TrainPlan(
        recipe=recipe,
        images=images,
        data_spec=data_spec,
        splits=parts,
        split_spec=split_spec,
        model_spec=model_spec,
        train_spec=train_spec,
        data_summary=summary or summarize_data(images, parts),
        model_summary=model_summary,
    )


def choose_training(
    images: Any,
    num_classes: int,
    *,
    recipe: str,
    seed: int,
    model: ModelSpec | Path | str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> tuple[ModelSpec, TrainSpec, ModelSummary]:
    """Decide on the layers and on how they are trained.

    Args:
      images: those to train on, (n, height, width, channels), any real dtype.
      num_classes: classes to tell apart.
      recipe, seed, model, settings: as for `plan_training`.
    Returns:
      The model, its training, and the model's summary.
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
    train_spec = found.make_training(len(images), statistics, seed)
    if 1 in shape[:2]:
        # A row of values is no picture that keeps its meaning when it is shifted and turned.
        train_spec = dataclasses.replace(train_spec, augmentation=None)
    train_spec = dataclasses.replace(train_spec, **(settings or {}))
    return model_spec, train_spec, models.check_output(model_spec, shape, num_classes)


def summarize_data(images: LabelledImages, parts: Split) -> DataSummary:
    """Count the images of each class and part, and say what they are like."""
    pixels = images.images
    counts = {
        part: np.bincount(images.labels[rows], minlength=len(images.class_names))
        for part, rows in dataclasses.asdict(parts).items()
    }
    classes = tuple(
        ClassCount(
            name,
            int(sum(count[k] for count in counts.values())),
            *(int(counts[part][k]) for part in ("train", "validation", "test")),
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
        train=len(parts.train),
        validation=len(parts.validation),
        test=len(parts.test),
        num_groups=None if images.groups is None else len(np.unique(images.groups)),
        preparation=images.preparation,
        skipped=images.skipped,
        content_hash=images.content_hash,
    )


def describe_input(plan: TrainPlan) -> InputContract:
    """Say what goes into the network; polarity is the training part's."""
    images = plan.images
    height, width, channels = images.images.shape[1:]
    return InputContract(
        shape=(height, width, channels),
        dtype=str(images.images.dtype),
        value_range=images.value_range,
        color_mode="grayscale" if channels == 1 else "rgb",
        polarity=infer_polarity(images.images[plan.splits.train], images.value_range),
        resize=ResizeRule(images.resize_filter, images.background),
    )


def measure_pixels(images: Any) -> models.PixelStatistics:
    """Measure what the recipes ask of training images.

    Args:
      images: (n, height, width, channels), any real dtype.
    """
    mean, deviation = float(images.mean(dtype=np.float64)), float(images.std(dtype=np.float64))
    return models.PixelStatistics(mean, deviation, _find_ground(images, deviation))


def _find_ground(images: Any, deviation: float) -> float | None:
    """Give the value that most edge pixels have, within a tenth of the deviation, or None."""
    rows, columns = images[:, [0, -1]], images[:, 1:-1, [0, -1]]
    edge = np.concatenate([rows.ravel(), columns.ravel()]).astype(np.float64)
    value = float(np.median(edge))
    share = float(np.mean(np.abs(edge - value) <= _NEAR_DEVIATIONS * deviation))
    return value if share >= _LEAST_GROUND_SHARE else None
