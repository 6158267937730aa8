"""Everything about a training that is decided before Keras is loaded."""

import dataclasses
from typing import Any

import numpy as np

from clearcnn import models
from clearcnn.data import LabelledImages, Split
from clearcnn.results import ClassCount, DataSummary, ModelSummary
from clearcnn.specs import DataSpec, ModelSpec, SplitSpec, TrainSpec

_NEAR_DEVIATIONS = 0.1
_LEAST_GROUND_SHARE = 0.5


@dataclasses.dataclass(frozen=True)
class TrainPlan:
    """What is trained on what, and how; and how that looks to people."""

    recipe: str
    images: LabelledImages
    data_spec: DataSpec
    split: Split
    split_spec: SplitSpec
    model_spec: ModelSpec
    train_spec: TrainSpec
    data_summary: DataSummary
    model_summary: ModelSummary


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


def list_warnings(plan: TrainPlan) -> tuple[str, ...]:
    """Say, one sentence each, what the user should know of the plan."""
    sentences = []
    if plan.train_spec.patience is not None and not len(plan.split.validation):
        sentences.append(
            "There is no validation part, so training runs every epoch and keeps the last weights."
        )
    return tuple(sentences)
