"""Recipes: an architecture and its training, chosen by the training images."""

from collections.abc import Callable
from dataclasses import dataclass

from clearcnn.errors import SpecError
from clearcnn.language import say
from clearcnn.models.pictures import SMALLEST_SIDE, make_picture_model, make_picture_training
from clearcnn.models.recipe_inputs import PixelStatistics, Shape
from clearcnn.models.small_images import make_small_model, make_small_training
from clearcnn.specs import LayerSpec, ModelSpec, SplitKind, TrainSpec
from clearcnn.spelling import suggest

__all__ = ["RECIPES", "PixelStatistics", "Recipe", "find_recipe"]


@dataclass(frozen=True)
class Recipe:
    """An architecture and its training.

    Attributes:
      name: the value of `--recipe`.
      split: the default kind of split.
      validation_fraction: of the split, as in SplitSpec.
      make_model: (image shape, number of classes, pixel statistics) → ModelSpec.
      make_training: (image shape, number of training images, pixel statistics, seed) → TrainSpec.
    """

    name: str
    split: SplitKind
    validation_fraction: float | None
    make_model: Callable[[Shape, int, PixelStatistics], ModelSpec]
    make_training: Callable[[Shape, int, PixelStatistics, int], TrainSpec]


def find_recipe(name: str) -> Recipe:
    """Return the recipe of that name.

    Raises:
      SpecError: unknown recipe; the remedy lists the known ones.
    """
    if name not in RECIPES:
        near = suggest(name, RECIPES)
        raise SpecError(
            say("There is no recipe {name!r}", name=name)
            + (say("; did you mean {near!r}?", near=near) if near else "."),
            remedy=say("Choose one of {recipes}.", recipes=", ".join(RECIPES)),
        )
    return RECIPES[name]


def _tutorial_model(_: Shape, num_classes: int, __: PixelStatistics) -> ModelSpec:
    """The tutorial's network on raw pixels: one convolution, one pooling, two Dense layers."""
    return ModelSpec(
        "tutorial",
        (
            LayerSpec("Conv2D", {"filters": 10, "kernel_size": (3, 3)}),
            LayerSpec("Activation", {"activation": "relu"}),
            LayerSpec("MaxPooling2D", {"pool_size": (2, 2)}),
            LayerSpec("Flatten"),
            LayerSpec("Dense", {"units": 50, "activation": "relu"}),
            LayerSpec("Dense", {"units": num_classes, "activation": "softmax"}),
        ),
    )


def _tutorial_training(_: Shape, __: int, ___: PixelStatistics, seed: int) -> TrainSpec:
    return TrainSpec(epochs=100, batch_size=50, learning_rate=1e-3, seed=seed)


def _default_model(shape: Shape, num_classes: int, pixels: PixelStatistics) -> ModelSpec:
    make = make_picture_model if _is_picture(shape) else make_small_model
    return ModelSpec("default", make(shape, num_classes, pixels))


def _default_training(
    shape: Shape, num_train: int, pixels: PixelStatistics, seed: int
) -> TrainSpec:
    if _is_picture(shape):
        return make_picture_training(shape, num_train, pixels, seed)
    return make_small_training(num_train, pixels, seed)


def _is_picture(shape: Shape) -> bool:
    return min(shape[:2]) >= SMALLEST_SIDE


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("default", "stratified", None, _default_model, _default_training),
        Recipe("tutorial", "random", 0.2, _tutorial_model, _tutorial_training),
    )
}
