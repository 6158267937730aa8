"""The first convolution's whitening, checked against the covariance of what comes out."""

import numpy as np
import pytest

from clearcnn.training import whiten_first_convolution

import keras  # isort: skip  (after clearcnn, which names the backend)

L = keras.layers


def photographs(count: int = 60, side: int = 20, channels: int = 3) -> np.ndarray:
    """Noise whose neighbouring pixels and channels are alike, as in a photograph."""
    random = np.random.default_rng(4)
    noise = random.normal(size=(count, side + 3, side + 3, channels))
    blurred = sum(noise[:, i : side + i, j : side + j] for i in range(4) for j in range(4))
    mixed = blurred + blurred.mean(axis=-1, keepdims=True)
    return (30 * mixed + 120).clip(0, 255).astype(np.uint8)


def build(filters: int, *before: keras.Layer, size: int = 2, strides: int = 2) -> keras.Sequential:
    convolution = L.Conv2D(filters, size, strides=strides, use_bias=False)
    return keras.Sequential(
        [keras.Input((20, 20, 3)), *before, convolution, L.Flatten(), L.Dense(2)]
    )


def outputs(network: keras.Sequential, images: np.ndarray) -> np.ndarray:
    upto = keras.Sequential(network.layers[:-2])
    maps = np.asarray(upto(images.astype(np.float32)))
    return maps.reshape(-1, maps.shape[-1]).astype(np.float64)


@pytest.mark.parametrize("strides", [1, 2])
def test_what_comes_out_is_uncorrelated_and_of_variance_one(strides: int) -> None:
    images = photographs()
    scale = 1 / images.std()
    rescaling = L.Rescaling(scale, -images.mean() * scale)
    network = build(24, rescaling, strides=strides)
    whiten_first_convolution(network, images, seed=0)
    maps = outputs(network, images)
    moments = maps[:, :12].T @ maps[:, :12] / len(maps)
    # Small variances are raised by a constant, so that the last components may fall below 1.
    assert np.abs(moments - np.diag(np.diag(moments))).max() < 0.1
    assert np.diag(moments)[:6] == pytest.approx(1, abs=0.1)
    assert np.diag(moments).max() < 1.1
    np.testing.assert_allclose(maps[:, 12:], -maps[:, :12], atol=1e-4)


def test_further_filters_keep_their_initial_weights_and_fewer_take_the_largest() -> None:
    images = photographs()
    scale = 1 / images.std()
    kernels = {}
    for filters in (10, 24, 32):
        network = build(filters, L.Rescaling(scale, -images.mean() * scale))
        before = np.array(network.layers[1].kernel)
        whiten_first_convolution(network, images, seed=0)
        kernels[filters] = np.array(network.layers[1].kernel)
    np.testing.assert_array_equal(kernels[32][..., 24:], before[..., 24:])
    np.testing.assert_array_equal(kernels[32][..., :24], kernels[24])
    np.testing.assert_array_equal(kernels[10][..., :5], kernels[24][..., :5])


def test_images_without_contrast_give_finite_weights() -> None:
    network = build(24)
    whiten_first_convolution(network, np.zeros((5, 20, 20, 3), np.uint8), seed=0)
    assert np.isfinite(np.array(network.layers[0].kernel)).all()


@pytest.mark.parametrize("layer", [L.BatchNormalization(), L.DepthwiseConv2D(3)])
def test_a_network_that_begins_otherwise_is_left_as_it_is(layer: keras.Layer) -> None:
    network = build(24, layer)
    before = [np.array(each) for each in network.get_weights()]
    whiten_first_convolution(network, photographs(), seed=0)
    for now, then in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
