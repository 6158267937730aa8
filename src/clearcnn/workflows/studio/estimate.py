"""How long a training of the class folder takes, said before it begins."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from clearcnn import data, models
from clearcnn.errors import ClearCNNError
from clearcnn.models import PixelStatistics
from clearcnn.specs import PREFERRED_SIDES
from clearcnn.workflows.studio.attempts import Attempt
from clearcnn.workflows.studio.class_listing import PictureClass

# Multiply-adds of training steps in a second, on a slow computer with two cores.
_PACE = 4e9
# A training step computes the network forward, and backward to its inputs and to its weights.
_PASSES = 3
# Reading, compiling, scoring, export and report.
_OVERHEAD_SECONDS = 20.0
_TRAINED_SHARE = 0.7
_NUM_SAMPLED = 12
_TYPICAL = PixelStatistics(mean=128.0, standard_deviation=64.0)


@dataclass(frozen=True)
class Estimate:
    """The time of a whole training, from reading to the report.

    Attributes:
      seconds: for all its epochs; it may stop earlier.
      basis: the pace of the last attempt on this computer, or only the sizes of pictures.
    """

    seconds: float
    basis: Literal["attempt", "sizes"]


def estimate_training(
    root: Path,
    classes: Sequence[PictureClass],
    attempts: Sequence[Attempt],
    recipe: str,
    epochs: int | None,
) -> Estimate | None:
    """Estimate the time of a training.

    Args:
      root: the class folder.
      classes: its pictures.
      attempts: the finished runs, oldest first.
      recipe, epochs: as for `train`.
    Returns:
      The estimate; None if there are no two classes with readable pictures.
    Raises:
      SpecError: there is no such recipe.
    """
    plan = models.find_recipe(recipe)
    count = sum(len(each.pictures) for each in classes)
    whole = [each for each in attempts if each.metrics.recipe == recipe]
    whole = [each for each in whole if not each.metrics.interrupted and _fit_seconds(each) > 0]
    if whole and count:
        last = whole[-1]
        share = count / sum(each.total for each in last.metrics.data.classes)
        num_train = max(1, round(last.metrics.data.train * share))
        shape = last.run.manifest.input.shape
        epochs = epochs or plan.make_training(shape, num_train, _TYPICAL, 0).epochs
        pace = _fit_seconds(last) / last.metrics.history.num_epochs / last.metrics.data.train
        seconds = last.metrics.seconds
        constant = seconds.get("compile", 0.0) + seconds.get("load Keras", 0.0)
        others = sum(seconds.values()) - _fit_seconds(last) - constant
        return Estimate(pace * num_train * epochs + constant + others * share, "attempt")
    shape_found = _guess_shape(root, classes)
    if shape_found is None:
        return None
    num_train = max(1, round(_TRAINED_SHARE * count))
    epochs = epochs or plan.make_training(shape_found, num_train, _TYPICAL, 0).epochs
    spec = plan.make_model(shape_found, len(classes), _TYPICAL)
    adds = models.check_output(spec, shape_found, len(classes)).multiply_adds
    return Estimate(
        _OVERHEAD_SECONDS + _PASSES * adds * num_train * epochs / _PACE,
        "sizes",
    )


def _fit_seconds(attempt: Attempt) -> float:
    return attempt.metrics.seconds.get("fit", 0.0)


def _guess_shape(root: Path, classes: Sequence[PictureClass]) -> tuple[int, int, int] | None:
    """Guess (height, width, channels) of the training images from a few pictures."""
    if sum(bool(each.pictures) for each in classes) < 2:
        return None
    paths = [root / each.name / name for each in classes for name in each.pictures]
    shapes = []
    for path in paths[:: -(-len(paths) // _NUM_SAMPLED)]:
        try:
            shapes.append(data.read_thumbnail(path, root, PREFERRED_SIDES[1]).shape)
        except (ClearCNNError, OSError):
            continue
    if not shapes:
        return None
    height, width = np.median([shape[:2] for shape in shapes], axis=0).astype(int).tolist()
    return height, width, 3 if any(len(shape) == 3 for shape in shapes) else 1
