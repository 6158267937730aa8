"""Stronger random lighting and fewer epochs, for images that a trial training recognised at once.

Where a small network recognises nearly all validation images after a few epochs, what is left to
learn are the images of other days, cameras and places, and not these again.
"""

import dataclasses

from clearcnn.results.train import FlipTrial
from clearcnn.types import Arguments
from clearcnn.workflows.fitting.plan import TrainPlan

_EASY = 0.95
_MORE_LIGHT = 1.8
_SHARE_OF_EPOCHS = 1 / 2
_FEWEST_EPOCHS = 12


def adapt_to_easy_images(
    plan: TrainPlan, trial: FlipTrial | None, settings: Arguments | None = None
) -> TrainPlan:
    """Raise the random lighting to 1.8 times and leave out half of the epochs, for easy images.

    They are easy if the trial recognised at least 95 % of the validation images.

    Args:
      plan: with the recipe's augmentation and epochs.
      trial: None changes nothing.
      settings: of the plan; epochs that the user asked for are kept.
    """
    spec = plan.train_spec
    if trial is None or spec.augmentation is None or trial.correct < _EASY * trial.total:
        return plan
    augmentation = dataclasses.replace(
        spec.augmentation,
        contrast_fraction=spec.augmentation.contrast_fraction * _MORE_LIGHT,
        brightness_shift=spec.augmentation.brightness_shift * _MORE_LIGHT,
    )
    epochs = spec.epochs
    if "epochs" not in (settings or {}):
        epochs = max(round(epochs * _SHARE_OF_EPOCHS), min(epochs, _FEWEST_EPOCHS))
    spec = dataclasses.replace(spec, augmentation=augmentation, epochs=epochs)
    return dataclasses.replace(plan, train_spec=spec)
