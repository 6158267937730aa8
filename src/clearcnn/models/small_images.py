"""The default recipe for small images, such as 8×8 digits, and for narrow ones."""

from clearcnn.models.recipe_inputs import PixelStatistics, Shape
from clearcnn.models.recipe_layers import classify, rescale
from clearcnn.specs import AugmentationSpec, LayerSpec, TrainSpec

_CORE_SIDE = 16


def make_small_model(
    shape: Shape, num_classes: int, pixels: PixelStatistics
) -> tuple[LayerSpec, ...]:
    """Three `same` convolutions around one pooling, then Dense 128.

    Sides above 16 pixels are halved first, by a convolution and a pooling each time, so that the
    receptive field of the core covers as much of the figure as in an 8×8 digit. A side of one
    pixel is not pooled.

    Args:
      shape: of an image.
      num_classes: classes to tell apart.
      pixels: of the training images.
    """
    layers = [rescale(pixels)]
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
        classify(num_classes),
    ]
    return tuple(layers)


def _core_pooling(height: int, width: int) -> LayerSpec:
    sides = (min(height, 2), min(width, 2))
    return LayerSpec("MaxPooling2D", {"pool_size": 2 if sides == (2, 2) else sides})


def _convolution(filters: int) -> LayerSpec:
    return LayerSpec(
        "Conv2D",
        {"filters": filters, "kernel_size": 3, "padding": "same", "activation": "relu"},
    )


def make_small_training(num_train: int, pixels: PixelStatistics, seed: int) -> TrainSpec:
    """AdamW with a one-cycle schedule; fewer epochs for more images: 80 at 1,000, 8 at 48,000.

    Args:
      num_train: training images, > 0.
      pixels: of the training images.
      seed: of initial weights, shuffling, dropout and augmentation.
    """
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
