"""Recipes: an architecture and its training, chosen by the training images."""

from collections.abc import Callable
from dataclasses import dataclass

from clearcnn.errors import SpecError
from clearcnn.specs import AugmentationSpec, LayerSpec, ModelSpec, SplitKind, TrainSpec
from clearcnn.spelling import suggest

Shape = tuple[int, int, int]

_CORE_SIDE = 16


@dataclass(frozen=True)
class PixelStatistics:
    """Statistics of the training images that recipes use.

    Attributes:
      mean, standard_deviation: of all pixels.
      ground: the most common value along the edges; None for images without a plain
        background, such as photographs.
    """

    mean: float
    standard_deviation: float
    ground: float | None = None


@dataclass(frozen=True)
class Recipe:
    """An architecture and its training.

    Attributes:
      name: the value of `--recipe`.
      split: the default kind of split.
      make_model: (image shape, number of classes, pixel statistics) → ModelSpec.
      make_training: (number of training images, pixel statistics, seed) → TrainSpec.
    """

    name: str
    split: SplitKind
    make_model: Callable[[Shape, int, PixelStatistics], ModelSpec]
    make_training: Callable[[int, PixelStatistics, int], TrainSpec]


def find_recipe(name: str) -> Recipe:
    """Return the recipe of that name.

    Raises:
      SpecError: unknown recipe; the remedy lists the known ones.
    """
    if name not in RECIPES:
        near = suggest(name, RECIPES)
        raise SpecError(
            f"There is no recipe {name!r}" + (f"; did you mean {near!r}?" if near else "."),
            remedy=f"Choose one of {', '.join(RECIPES)}.",
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


def _tutorial_training(_: int, __: PixelStatistics, seed: int) -> TrainSpec:
    return TrainSpec(epochs=100, batch_size=50, learning_rate=1e-3, seed=seed)


def _default_model(shape: Shape, num_classes: int, pixels: PixelStatistics) -> ModelSpec:
    """Three `same` convolutions around one pooling, then Dense 128.

    Sides above 16 pixels are halved first, by a convolution and a pooling each time, so that the
    receptive field of the core covers as much of the figure as in an 8×8 digit. A side of one
    pixel is not pooled.
    """
    deviation = pixels.standard_deviation or 1.0
    rescaling = {"scale": 1 / deviation, "offset": -pixels.mean / deviation}
    layers = [LayerSpec("Rescaling", rescaling)]
    height, width, _ = shape
    while max(height, width) > _CORE_SIDE:
        pool_size = (2 if height > _CORE_SIDE else 1, 2 if width > _CORE_SIDE else 1)
        layers += [_convolution(16), LayerSpec("MaxPooling2D", {"pool_size": pool_size})]
        height, width = height // pool_size[0], width // pool_size[1]
    layers += [
        _convolution(24),
        _convolution(24),
        _core_pooling(height, width),
        _convolution(48),
        LayerSpec("Dropout", {"rate": 0.4}),
        LayerSpec("Flatten"),
        LayerSpec("Dense", {"units": 128, "activation": "relu"}),
        LayerSpec("Dropout", {"rate": 0.4}),
        LayerSpec("Dense", {"units": num_classes, "activation": "softmax"}),
    ]
    return ModelSpec("default", tuple(layers))


def _core_pooling(height: int, width: int) -> LayerSpec:
    sides = (min(height, 2), min(width, 2))
    return LayerSpec("MaxPooling2D", {"pool_size": 2 if sides == (2, 2) else sides})


def _convolution(filters: int) -> LayerSpec:
    return LayerSpec(
        "Conv2D",
        {"filters": filters, "kernel_size": 3, "padding": "same", "activation": "relu"},
    )


def _default_training(num_train: int, pixels: PixelStatistics, seed: int) -> TrainSpec:
    """AdamW with a one-cycle schedule; fewer epochs for more images: 80 at 1,000, 8 at 48,000."""
    epochs = round(80 * (1000 / num_train) ** 0.6)
    epochs = min(max(epochs, 8), 120)
    return TrainSpec(
        epochs=epochs,
        batch_size=64,
        learning_rate=3e-3,
        optimizer="adamw",
        schedule="one_cycle",
        weight_decay=0.01,
        label_smoothing=0.05,
        patience=max(epochs // 2, 3),
        augmentation=AugmentationSpec(
            shift_pixels=0.8,
            rotation_radians=0.25,
            zoom_fraction=0.15,
            shear_fraction=0.15,
            fill_value=pixels.ground,
        ),
        seed=seed,
    )


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("default", "stratified", _default_model, _default_training),
        Recipe("tutorial", "random", _tutorial_model, _tutorial_training),
    )
}
