"""Random lighting: one random brightness and contrast per image and step, as a Keras layer."""

import jax
import keras
from keras import ops

from clearcnn.training.affine_warp import light
from clearcnn.types import Arguments


@keras.saving.register_keras_serializable(package="clearcnn")
class RandomLighting(keras.layers.Layer):  # type: ignore[misc]
    """Change the contrast and the brightness of each image at random; only in training.

    Each amount is drawn uniformly within ± its limit, for each image separately. Keras's own
    `RandomBrightness` and `RandomContrast` clip to a range of values, which depends on the source.

    Args:
      contrast_fraction, brightness_shift: as in AugmentationSpec.
      seed: int, of the random numbers.

    Input and output: (n, height, width, channels).
    """

    def __init__(
        self,
        contrast_fraction: float = 0.0,
        brightness_shift: float = 0.0,
        seed: int = 0,
        **kwargs: object,
    ) -> None:
        super().__init__(**kwargs)
        self.contrast_fraction = contrast_fraction
        self.brightness_shift = brightness_shift
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, images: jax.Array, training: bool = False) -> jax.Array:
        """Change the images in training; always cast them to the compute dtype."""
        images = ops.cast(images, self.compute_dtype)
        if not training:
            return images
        draws = keras.random.uniform((2, ops.shape(images)[0]), -1.0, 1.0, seed=self.seed_generator)
        contrast = 1.0 + draws[0] * self.contrast_fraction
        return light(images, ops.stack([contrast, draws[1] * self.brightness_shift], axis=1))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the same shape."""
        return input_shape

    def get_config(self) -> Arguments:
        """Return the arguments of the constructor, for Keras to recreate the layer."""
        return {
            **super().get_config(),
            "contrast_fraction": self.contrast_fraction,
            "brightness_shift": self.brightness_shift,
            "seed": self.seed,
        }
