"""The default recipe for pictures of 16 pixels and more, such as photographs.

A small network of the kind that holds the records on CIFAR-10 (Page 2019, "How to train your
ResNet"; Jordan 2024, arXiv:2404.00498): whitened patches, convolutions with batch normalization,
global max pooling. The patches are a strided convolution, so that full resolution, where a
convolution costs most, is left at once.
"""

from clearcnn.models.recipe_inputs import PixelStatistics, Shape
from clearcnn.models.recipe_layers import classify, rescale
from clearcnn.specs import AugmentationSpec, LayerSpec, TrainSpec

SMALLEST_SIDE = 16
_LARGEST_MAP = 20
# Sides above 60 pixels are reduced in two steps: by the patches and by the next convolution.
_LEAST_FOR_TWO_STEPS = 4
_STEM_FILTERS = 24
_FEWER_FOR_FIGURES = 2
# Filters, and whether a pooling follows.
_BLOCKS = ((32, False), (64, True), (64, False), (128, True), (128, False))
# Large scores at the start, from maxima over many positions, cost accuracy in a short training.
_SCALE_OF_MAXIMA = 0.1
_BATCH_SIZE = 125
_LIGHT = 0.5
_EPOCHS, _MANY_IMAGES = 24, 9_000


def make_picture_model(
    shape: Shape, num_classes: int, pixels: PixelStatistics
) -> tuple[LayerSpec, ...]:
    """A strided convolution on patches, and five convolutions of 32 to 128 filters.

    Figures on a plain ground, such as digits, have half the filters.

    Args:
      shape: of an image; both sides at least `SMALLEST_SIDE`.
      num_classes: classes to tell apart.
      pixels: of the training images.
    """
    patch, strides = zip(*(_enter(side) for side in shape[:2]), strict=True)
    divisor = 1 if _is_photograph(pixels) else _FEWER_FOR_FIGURES
    blocks = [
        layer
        for position, (filters, pools) in enumerate(_BLOCKS)
        for layer in _block(filters // divisor, strides if position == 0 else (1, 1), pools=pools)
    ]
    return (
        rescale(pixels),
        LayerSpec(
            "Conv2D",
            {
                "filters": _STEM_FILTERS,
                "kernel_size": tuple(max(side, 2) for side in patch),
                "strides": patch,
                "activation": "relu",
            },
        ),
        *blocks,
        LayerSpec("GlobalMaxPooling2D"),
        LayerSpec("Rescaling", {"scale": _SCALE_OF_MAXIMA}),
        classify(num_classes),
    )


def _is_photograph(pixels: PixelStatistics) -> bool:
    return pixels.ground is None


def _enter(side: int) -> tuple[int, int]:
    """Choose how a side is reduced: pixels to a patch, and the stride of the next convolution."""
    reduction = -(-side // _LARGEST_MAP)
    if reduction < _LEAST_FOR_TWO_STEPS:
        return reduction, 1
    return -(-reduction // 2), 2


def _block(filters: int, strides: tuple[int, int], *, pools: bool) -> list[LayerSpec]:
    convolution = {"filters": filters, "kernel_size": 3, "padding": "same", "use_bias": False}
    if max(strides) > 1:
        convolution["strides"] = strides
    return [
        LayerSpec("Conv2D", convolution),
        LayerSpec("BatchNormalization", {"momentum": 0.9}),
        LayerSpec("Activation", {"activation": "gelu"}),
        *([LayerSpec("MaxPooling2D", {"pool_size": 2})] if pools else []),
    ]


def make_picture_training(
    shape: Shape, num_train: int, pixels: PixelStatistics, seed: int
) -> TrainSpec:
    """Muon with a one-cycle schedule; fewer epochs for more images.

    Whether images are mirrored is left to a trial.

    Args:
      shape: of an image.
      num_train: training images, > 0.
      pixels: of the training images.
      seed: of initial weights, shuffling, dropout and augmentation.
    """
    is_photograph = _is_photograph(pixels)
    few = (_MANY_IMAGES / num_train) ** (0.15 if num_train < _MANY_IMAGES else 0.75)
    epochs = max(round(_EPOCHS * few), 4)
    return TrainSpec(
        epochs=epochs,
        batch_size=max(16, min(_BATCH_SIZE, num_train // 16)),
        learning_rate=4e-2,
        optimizer="muon",
        schedule="one_cycle",
        weight_decay=0.05,
        label_smoothing=0.2,
        whitening=True,
        augmentation=AugmentationSpec(
            shift_pixels=max(shape[:2]) / 16,
            rotation_radians=0.0 if is_photograph else 0.2,
            zoom_fraction=0.0 if is_photograph else 0.1,
            shear_fraction=0.0 if is_photograph else 0.1,
            fill_value=pixels.ground,
            horizontal_flip=None,
            contrast_fraction=_LIGHT if is_photograph else 0.0,
            brightness_shift=_LIGHT * pixels.standard_deviation if is_photograph else 0.0,
        ),
        seed=seed,
    )
