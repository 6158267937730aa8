"""Easy images get stronger lighting and fewer epochs, unless the user asked for theirs."""

import dataclasses

import numpy as np
import pytest

from clearcnn import data
from clearcnn.results.train import FlipTrial
from clearcnn.specs import DataSpec, SplitSpec
from clearcnn.workflows.fitting.easy_images import adapt_to_easy_images
from clearcnn.workflows.fitting.plan import TrainPlan, plan_training

EASY = FlipTrial(100, 100, 100, (), is_harmless=True)


def plan(augment: tuple[str, ...] | None = None, **settings: int) -> TrainPlan:
    images = data.LabelledImages(
        images=np.random.default_rng(0).integers(0, 256, (60, 16, 16, 1), np.uint8),
        labels=np.arange(60) % 2,
        class_names=("a", "b"),
        source="noise",
        value_range=(0, 255),
        names=tuple(map(str, range(60))),
    )
    return plan_training(
        images,
        data.split(images, SplitSpec()),
        recipe="default",
        seed=0,
        data_spec=DataSpec("noise"),
        split_spec=SplitSpec(),
        settings=settings,
        augment=augment,
    )


@pytest.mark.parametrize(
    ("epochs", "correct", "expected"),
    [(27, 950, 14), (27, 1000, 14), (27, 949, 27), (15, 990, 12), (12, 990, 12), (6, 990, 6)],
)
def test_half_of_the_epochs_is_left_out(epochs: int, correct: int, expected: int) -> None:
    # As if the recipe had chosen that many.
    before = plan(epochs=epochs)
    trial = FlipTrial(correct, 0, 1000, (), is_harmless=True)
    after = adapt_to_easy_images(before, trial)
    assert after.train_spec.epochs == expected


def test_the_lighting_of_easy_images_is_stronger_and_nothing_else() -> None:
    before = plan().train_spec.augmentation
    after = adapt_to_easy_images(plan(), EASY).train_spec.augmentation
    assert before is not None
    assert after is not None
    # Up to 0.1 to 1.9 times the contrast, and up to 0.9 standard deviations.
    assert after.contrast_fraction == pytest.approx(0.9)
    assert after.brightness_shift == pytest.approx(1.8 * before.brightness_shift)
    light = {"contrast_fraction": 0.0, "brightness_shift": 0.0}
    assert dataclasses.replace(after, **light) == dataclasses.replace(before, **light)


def test_what_the_user_asked_for_is_kept() -> None:
    asked = plan(epochs=30)
    assert adapt_to_easy_images(asked, EASY, {"epochs": 30}).train_spec.epochs == 30
    assert adapt_to_easy_images(asked, EASY, {"batch_size": 8}).train_spec.epochs == 15
    dark = plan(augment=("shift",))
    assert adapt_to_easy_images(dark, EASY).train_spec.augmentation == dark.train_spec.augmentation


def test_without_a_trial_nothing_changes() -> None:
    before = plan()
    assert adapt_to_easy_images(before, None) is before
    hard = FlipTrial(94, 94, 100, (), is_harmless=True)
    assert adapt_to_easy_images(before, hard) is before
