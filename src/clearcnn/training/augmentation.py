"""Label-safe augmentation: one random affine change per image and step, as a Keras layer.

Shift, rotation, zoom, shear and mirroring are one matrix, so an image is interpolated once.
Keras's own `RandomTranslation`, `RandomRotation` and `RandomZoom` in turn would blur an 8×8 digit
three times; `keras.ops.image.affine_transform` is one interpolation too, but takes 5 to 12 times as
long per image as the four gathers here (8×8×1: 1.7 µs against 0.34 on two cores).
"""

import dataclasses

import jax
import keras
from keras import ops

from clearcnn.specs import AugmentationSpec
from clearcnn.training.affine_warp import warp
from clearcnn.training.lighting import RandomLighting
from clearcnn.types import Arguments


@keras.saving.register_keras_serializable(package="clearcnn")
class RandomAffine(keras.layers.Layer):  # type: ignore[misc]
    """Shift, rotate, zoom, shear and mirror each image at random; only in training.

    Each amount is drawn uniformly within ± its limit, for each image separately. Interpolation is
    bilinear.

    Args:
      shift_pixels, rotation_radians, zoom_fraction, shear_fraction, fill_value, horizontal_flip: as
        in AugmentationSpec.
      seed: int, of the random numbers.

    Input and output: (n, height, width, channels), height and width >= 2.
    """

    def __init__(
        self,
        shift_pixels: float = 0.0,
        rotation_radians: float = 0.0,
        zoom_fraction: float = 0.0,
        shear_fraction: float = 0.0,
        fill_value: float | None = None,
        horizontal_flip: bool | None = False,
        seed: int = 0,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.shift_pixels = shift_pixels
        self.rotation_radians = rotation_radians
        self.zoom_fraction = zoom_fraction
        self.shear_fraction = shear_fraction
        self.fill_value = fill_value
        self.horizontal_flip = horizontal_flip
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images: jax.Array, training: bool = False) -> jax.Array:
        """Change the images in training; always cast them to the compute dtype."""
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        return warp(images, self._draw_matrices(ops.shape(images)), self.fill_value)

    def _draw_matrices(self, shape: tuple[int, ...]) -> jax.Array:
        amounts = 7 if self.horizontal_flip else 6
        draws = keras.random.uniform((amounts, shape[0]), -1.0, 1.0, seed=self.seed_generator)
        angle = draws[0] * self.rotation_radians
        scale = 1.0 + draws[1] * self.zoom_fraction
        shear_y, shear_x = draws[2] * self.shear_fraction, draws[3] * self.shear_fraction
        shift_y, shift_x = draws[4] * self.shift_pixels, draws[5] * self.shift_pixels
        cos, sin = ops.cos(angle), ops.sin(angle)
        # Rotation times shear: ((cos, -sin), (sin, cos)) · ((1, shear_y), (shear_x, 1)).
        yy, yx = (cos - sin * shear_x) / scale, (cos * shear_y - sin) / scale
        xy, xx = (sin + cos * shear_x) / scale, (sin * shear_y + cos) / scale
        centre_y, centre_x = (shape[1] - 1) / 2, (shape[2] - 1) / 2
        y0 = centre_y - yy * (centre_y + shift_y) - yx * (centre_x + shift_x)
        x0 = centre_x - xy * (centre_y + shift_y) - xx * (centre_x + shift_x)
        if self.horizontal_flip:
            # The column that is read is counted from the other side.
            is_mirrored = draws[6] < 0
            x0 = ops.where(is_mirrored, shape[2] - 1 - x0, x0)
            xy, xx = ops.where(is_mirrored, -xy, xy), ops.where(is_mirrored, -xx, xx)
        matrices: jax.Array = ops.stack([yy, yx, y0, xy, xx, x0], axis=1)
        return matrices

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the same shape."""
        return input_shape

    def get_config(self) -> Arguments:
        """Return the arguments of the constructor, for Keras to recreate the layer."""
        return {
            **super().get_config(),
            "shift_pixels": self.shift_pixels,
            "rotation_radians": self.rotation_radians,
            "zoom_fraction": self.zoom_fraction,
            "shear_fraction": self.shear_fraction,
            "fill_value": self.fill_value,
            "horizontal_flip": self.horizontal_flip,
            "seed": self.seed,
        }


def augment_model(model: keras.Sequential, spec: AugmentationSpec, seed: int) -> keras.Sequential:
    """Return a model with random changes before the layers of another, which it shares.

    Args:
      model: a built `keras.Sequential` on images (height, width, channels).
      spec: the limits.
      seed: non-negative int.
    Returns:
      A new `keras.Sequential`; training it trains `model`, which has no augmentation itself.
    """
    affine = dataclasses.asdict(spec)
    light = {name: affine.pop(name) for name in ("contrast_fraction", "brightness_shift")}
    return keras.Sequential(
        [
            keras.Input(model.input_shape[1:], dtype=model.inputs[0].dtype),
            RandomAffine(**affine, seed=seed),
            *([RandomLighting(**light, seed=seed ^ 1)] if any(light.values()) else []),
            *model.layers,
        ]
    )
