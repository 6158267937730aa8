"""The user's choice among a recipe's random changes."""

import dataclasses

import pytest

from clearcnn.errors import SpecError
from clearcnn.specs import AugmentationSpec
from clearcnn.workflows.fitting.augmentation_choice import choose_augmentation

RECIPE = AugmentationSpec(2.0, 0.1, 0.2, 0.0, 255.0, horizontal_flip=None)


def test_without_a_choice_the_recipe_decides() -> None:
    assert choose_augmentation(RECIPE, None, None) is RECIPE
    assert choose_augmentation(None, None, None) is None


@pytest.mark.parametrize("flip", [True, False])
def test_flips_alone_are_overruled(flip: bool) -> None:
    expected = dataclasses.replace(RECIPE, horizontal_flip=flip)
    assert choose_augmentation(RECIPE, None, flip) == expected


def test_only_the_named_changes_stay() -> None:
    shifted = AugmentationSpec(2.0, fill_value=255.0)
    assert choose_augmentation(RECIPE, ("shift",), None) == shifted
    both = choose_augmentation(RECIPE, ("shift", "flip"), None)
    assert both == dataclasses.replace(shifted, horizontal_flip=True)
    assert choose_augmentation(RECIPE, ("none",), None) is None
    lit = dataclasses.replace(RECIPE, contrast_fraction=0.5, brightness_shift=20.0)
    assert choose_augmentation(lit, ("shift",), None) == shifted
    dimmed = dataclasses.replace(shifted, brightness_shift=20.0)
    assert choose_augmentation(lit, ("shift", "brightness"), None) == dimmed
    assert choose_augmentation(None, ("none",), None) is None
    assert choose_augmentation(None, None, False) is None
    assert choose_augmentation(None, ("flip",), None) == AugmentationSpec(horizontal_flip=True)


@pytest.mark.parametrize(
    ("spec", "names", "flip", "words"),
    [
        (RECIPE, ("shfit",), None, "'shfit'; expected some of .*Did you mean shift"),
        (RECIPE, ("none", "shift"), None, "none together with shift"),
        (RECIPE, ("flip",), False, "has flip, but flip=False"),
        (RECIPE, ("shift",), True, "has no flip, but flip=True"),
        (RECIPE, ("shift", "shear"), None, "shear, which this recipe does not use"),
        (None, ("zoom",), None, "zoom, which this recipe does not use"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(
    spec: AugmentationSpec | None, names: tuple[str, ...], flip: bool | None, words: str
) -> None:
    with pytest.raises(SpecError, match=words):
        choose_augmentation(spec, names, flip)
