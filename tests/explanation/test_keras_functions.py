"""Scores, probabilities, features and slopes, against Keras and against differences."""

import numpy as np

from clearcnn.backend import load_keras
from clearcnn.explanation import Network, smooth_gradient
from clearcnn.training import rewrite_on_cpu


def test_probabilities_are_those_of_predict_whatever_the_number_of_images(model, image):
    network = Network(model)
    random = np.random.default_rng(0)
    images = random.integers(0, 17, (300, *image.shape)).astype(np.uint8)
    for batch in (images, images[:1]):
        wanted = model.predict(batch, verbose=0)
        np.testing.assert_allclose(network.probabilities(batch), wanted, rtol=1e-4, atol=1e-6)


def test_features_are_what_the_last_layer_with_a_kernel_receives(make_model, image):
    keras = load_keras()
    for name, layer in (("plain", 4), ("strided", 4), ("dilated", 1)):
        model = make_model(name)
        wanted = keras.Model(model.inputs[0], model.layers[layer].output)(image[np.newaxis])
        found = Network(model).features(image[np.newaxis])
        np.testing.assert_allclose(found[0], np.ravel(wanted), rtol=1e-5, atol=1e-6)


def test_other_weights_answer_as_the_model_that_has_them(make_model, image):
    mine, other = make_model(seed=3), make_model(seed=4)
    weights = [variable.value for variable in other.weights]
    found = Network(mine).probabilities(image[np.newaxis], weights)
    np.testing.assert_allclose(found, other.predict(image[np.newaxis], verbose=0), rtol=1e-4)
    own = Network(mine).probabilities(image[np.newaxis])
    np.testing.assert_allclose(own, mine.predict(image[np.newaxis], verbose=0), rtol=1e-4)
    assert np.abs(own - found).max() > 0.01


def test_a_slope_is_the_difference_that_a_small_change_makes(make_model, image):
    network = Network(make_model("strided"))
    slopes = network.slopes(image[np.newaxis], 2)[0]
    step = 0.05
    for row, column, channel in ((0, 0, 0), (4, 3, 1), (8, 6, 2), (5, 5, 0)):
        pair = np.repeat(image[np.newaxis].astype(np.float32), 2, axis=0)
        pair[:, row, column, channel] += (-step, step)
        below, above = network.logits(pair)[:, 2].astype(float)
        difference = (above - below) / (2 * step)
        np.testing.assert_allclose(slopes[row, column, channel], difference, atol=2e-4)


def test_smooth_gradient_is_the_mean_over_the_noisy_copies_and_the_sum_over_channels(
    make_model, image
):
    network = Network(make_model("strided"))
    found = smooth_gradient(network, image, 1, noise=1.5, num_samples=6, seed=9)
    noise = np.random.default_rng(9).normal(0, 1.5, (6, *image.shape)).astype(np.float32)
    step = 0.05
    for row, column in ((2, 2), (7, 0)):
        differences = []
        for copy in image + noise:
            # All channels brighter by the same.
            pair = np.repeat(copy[np.newaxis], 2, axis=0)
            pair[:, row, column] += np.float32([[-step], [step]])
            below, above = network.logits(pair)[:, 1].astype(float)
            differences.append((above - below) / (2 * step))
        np.testing.assert_allclose(found[row, column], np.mean(differences), atol=3e-4)
    again = smooth_gradient(network, image, 1, noise=1.5, num_samples=6, seed=9)
    np.testing.assert_array_equal(found, again)
    other = smooth_gradient(network, image, 1, noise=1.5, num_samples=6, seed=10)
    assert np.abs(other - found).max() > 1e-6


def test_functions_rewritten_for_the_cpu_give_the_same(model, image):
    images = np.random.default_rng(0).integers(0, 17, (300, *image.shape)).astype(np.uint8)
    plain, rewritten = Network(model), Network(model, rewrite=rewrite_on_cpu)
    for wanted, found in zip(
        plain.logits_and_features(images), rewritten.logits_and_features(images), strict=True
    ):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    slopes = plain.slopes(images[:5], 1)
    np.testing.assert_allclose(rewritten.slopes(images[:5], 1), slopes, rtol=1e-3, atol=1e-5)
