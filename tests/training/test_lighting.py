"""Random lighting; its random numbers are read back from the images."""

import numpy as np
import pytest
from scipy import stats

from clearcnn.specs import AugmentationSpec
from clearcnn.training import augment_model
from clearcnn.training.lighting import RandomLighting

import keras  # isort: skip  (after clearcnn, which names the backend)

IMAGES = np.random.default_rng(1).uniform(0, 255, (400, 6, 5, 3)).astype(np.float32)


def test_contrast_and_brightness_are_uniform_and_each_image_has_its_own() -> None:
    lit = np.asarray(RandomLighting(0.5, 20.0, seed=3)(IMAGES, training=True))
    axes = (1, 2, 3)
    contrast = lit.std(axis=axes) / IMAGES.std(axis=axes) - 1
    brightness = lit.mean(axis=axes) - IMAGES.mean(axis=axes)
    for values, limit in ((contrast, 0.5), (brightness, 20.0)):
        assert np.abs(values).max() <= limit * (1 + 1e-4)
        assert stats.kstest(values, stats.uniform(-limit, 2 * limit).cdf).pvalue > 1e-3
    assert abs(np.corrcoef(contrast, brightness)[0, 1]) < 0.2
    # All pixels of an image change by one line.
    means = IMAGES.mean(axis=axes, keepdims=True)
    line = (IMAGES - means) * (1 + contrast)[:, None, None, None] + means
    np.testing.assert_allclose(lit, line + brightness[:, None, None, None], atol=1e-2)


def test_nothing_happens_outside_training() -> None:
    np.testing.assert_array_equal(np.asarray(RandomLighting(0.5, 20.0)(IMAGES)), IMAGES)


def test_a_configuration_makes_the_same_layer() -> None:
    layer = RandomLighting(0.5, 20.0, seed=4)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()
    np.testing.assert_array_equal(again(IMAGES, training=True), layer(IMAGES, training=True))


@pytest.mark.parametrize("contrast", [0.0, 0.3])
def test_a_model_is_lit_only_where_the_spec_asks_for_it(contrast: float) -> None:
    model = keras.Sequential([keras.Input((6, 5, 3)), keras.layers.Flatten()])
    augmented = augment_model(model, AugmentationSpec(contrast_fraction=contrast), 0)
    kinds = [type(layer).__name__ for layer in augmented.layers]
    assert ("RandomLighting" in kinds) == (contrast > 0)
