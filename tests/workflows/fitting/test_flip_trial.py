"""Flips are used where left and right carry no meaning, and nowhere else."""

import dataclasses

import numpy as np
import pytest

from clearcnn import data
from clearcnn.specs import DataSpec, SplitSpec
from clearcnn.workflows.fitting.flip_trial import judge_flips, try_flips
from clearcnn.workflows.fitting.plan import TrainPlan, plan_training

NAMES = ("left", "right", "none")


def plan(classes: tuple[int, ...], count: int = 900, **options: bool | None) -> TrainPlan:
    """Pictures of bars, darker to the left (0), darker to the right (1), or flat and tall (2)."""
    random = np.random.default_rng(2)
    labels = random.integers(0, len(classes), count)
    ramp = np.linspace(-60, 60, 16)
    forms = np.stack([np.tile(ramp, (16, 1)), np.tile(-ramp, (16, 1)), np.tile(ramp, (16, 1)).T])
    pictures = forms[np.array(classes)[labels]] + 120 + random.normal(0, 40, (count, 16, 16))
    pixels = pictures.clip(0, 255).astype(np.uint8)[..., None]
    classes_named = tuple(f"{NAMES[k]} {i}" for i, k in enumerate(classes))
    rows = tuple(f"row {row}" for row in range(count))
    images = data.LabelledImages(pixels, labels, classes_named, "bars", (0, 255), rows)
    splits = data.split(images, SplitSpec(seed=1))
    return plan_training(
        images,
        splits,
        recipe="default",
        seed=3,
        data_spec=DataSpec("arrays"),
        split_spec=SplitSpec(seed=1),
        **options,
    )


def flips(changed: TrainPlan) -> bool | None:
    assert changed.train_spec.augmentation is not None
    return changed.train_spec.augmentation.horizontal_flip


def test_left_and_right_are_kept_apart() -> None:
    before = plan((0, 1, 2))
    assert flips(before) is None
    after, trial = try_flips(before)
    assert trial is not None
    assert flips(after) is trial.is_harmless is False
    assert set(trial.harmed_classes) == {"left 0", "right 1"}
    assert trial.total == len(before.splits.validation)
    assert trial.correct > 0.9 * trial.total
    assert trial.correct_mirrored < 0.6 * trial.total


def test_what_looks_the_same_in_a_mirror_is_mirrored() -> None:
    # A ramp from top to bottom, and one upside down.
    before = plan((2, 2))
    pixels = before.images.images.copy()
    pixels[before.images.labels == 1] = pixels[before.images.labels == 1][:, ::-1]
    before = dataclasses.replace(before, images=dataclasses.replace(before.images, images=pixels))
    after, trial = try_flips(before)
    assert trial is not None
    assert trial.correct > 0.9 * trial.total
    assert flips(after) is trial.is_harmless is True
    assert trial.harmed_classes == ()


@pytest.mark.parametrize("flip", [True, False])
def test_what_the_user_asks_for_is_not_tried(flip: bool) -> None:
    asked = plan((0, 1, 2), flip=flip)
    assert try_flips(asked) == (asked, None)
    assert flips(asked) is flip


def test_too_few_validation_images_for_a_trial_mirror_nothing() -> None:
    after, trial = try_flips(plan((0, 1, 2), count=200))
    assert trial is None
    assert flips(after) is False


def test_harm_to_one_class_of_many_is_seen() -> None:
    labels = np.repeat(np.arange(20), 50)
    right = np.random.default_rng(0).random(1000) < 0.95
    mirrored = right.copy()
    mirrored[labels == 7] &= np.arange(50) % 5 < 3
    names = tuple(map(str, range(20)))
    trial = judge_flips(right, mirrored, labels, names)
    # Within the 2 % that chance may take from all of them together.
    assert trial.correct - trial.correct_mirrored <= 20
    assert trial.harmed_classes == ("7",)
    assert not trial.is_harmless
    assert judge_flips(right, np.roll(right, 3), labels, names).is_harmless
