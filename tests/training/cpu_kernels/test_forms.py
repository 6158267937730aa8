"""Each CPU kernel equals the plain operation, forward and backward, for random shapes."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearcnn.training.cpu_kernels import rewrite

import keras  # isort: skip

SETTINGS = settings(max_examples=12, deadline=None, derandomize=True)
sides = st.integers(1, 9)
steps = st.integers(1, 3)


def assert_same(function, *arrays, exact=False):
    """Compare values, and gradients under a random cotangent; the form must really be used."""
    wanted, *gradients = values_and_gradients(function, *arrays)
    got, *form_gradients = values_and_gradients(rewrite(function), *arrays)
    tolerance = {"rtol": 0, "atol": 0} if exact else {"rtol": 1e-4, "atol": 1e-4}
    np.testing.assert_allclose(got, wanted, **tolerance)
    for form, plain in zip(form_gradients, gradients, strict=True):
        np.testing.assert_allclose(form, plain, rtol=1e-4, atol=1e-4)


@functools.partial(jax.jit, static_argnums=0)
def values_and_gradients(function, *arrays):
    """The function's value, and the gradients of its arrays with a random cotangent."""
    value, pull_back = jax.vjp(function, *arrays)
    cotangent = np.random.default_rng(1).normal(size=value.shape)
    return value, *pull_back(jnp.asarray(cotangent, value.dtype))


def primitives(function, *arrays):
    """The names of all primitives left in the rewritten function's differentiated program."""
    total = jax.grad(lambda *a: rewrite(function)(*a).sum())
    return str(jax.make_jaxpr(total)(*arrays))


def normal(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


@SETTINGS
@given(
    size=st.tuples(sides, sides),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(steps, steps),
    dilation=st.tuples(steps, steps),
    padding=st.sampled_from(["VALID", "SAME", ((2, 0), (-1, 3))]),
    groups=st.integers(1, 3),
    channels=st.integers(1, 3),
    filters=st.integers(1, 3),
)
def test_convolution(size, kernel, strides, dilation, padding, groups, channels, filters):
    image = normal(2, *size, groups * channels)
    weights = normal(*kernel, channels, groups * filters, seed=1)

    def convolve(image, weights):
        return jax.lax.conv_general_dilated(
            image,
            weights,
            strides,
            padding,
            rhs_dilation=dilation,
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=groups,
        )

    if 0 in jax.eval_shape(convolve, image, weights).shape:
        return
    assert_same(convolve, image, weights)
    assert "conv_general_dilated" not in primitives(convolve, image, weights)


@pytest.mark.parametrize(("samples", "pieces"), [(12, {3}), (13, set()), (7, set())])
def test_a_large_batch_is_convolved_in_pieces(samples, pieces, monkeypatch):
    monkeypatch.setattr(
        "clearcnn.training.cpu_kernels.convolution.BUDGET_BYTES", 4 * 6 * 5 * 9 * 3 * 4
    )
    lengths = []
    walk = jax.lax.map
    monkeypatch.setattr(
        "jax.lax.map", lambda step, parts: lengths.append(len(parts)) or walk(step, parts)
    )

    def convolve(image, weights):
        return jax.lax.conv_general_dilated(
            image, weights, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    assert_same(convolve, normal(samples, 6, 5, 3), normal(3, 3, 3, 2, seed=1))
    assert set(lengths) == pieces


def pool(image, operation, initial, size, strides, padding):
    return jax.lax.reduce_window(
        image, initial, operation, (1, *size, 1), (1, *strides, 1), padding
    )


pooling = {
    "size": st.tuples(sides, sides),
    "window": st.tuples(st.integers(1, 4), st.integers(1, 4)),
    "strides": st.tuples(steps, steps),
    "padding": st.sampled_from(["VALID", "SAME"]),
}


@SETTINGS
@given(**pooling, values=st.sampled_from(["ties", "normal", "minus infinity"]))
def test_max_pooling_with_ties(size, window, strides, padding, values):
    image = normal(2, *size, 3)
    if values == "ties":
        image = jnp.round(image)
    if values == "minus infinity":
        image = jnp.where(image < 0, -jnp.inf, image)

    def largest(image):
        return pool(image, jax.lax.max, -jnp.inf, window, strides, padding)

    if 0 in jax.eval_shape(largest, image).shape:
        return
    assert_same(largest, image, exact=True)
    assert "select_and" not in primitives(largest, image)
    assert "reduce_window" not in primitives(largest, image)


@SETTINGS
@given(**pooling)
def test_sum_pooling(size, window, strides, padding):
    def total(image):
        return pool(image, jax.lax.add, 0.0, window, strides, padding)

    image = normal(2, *size, 3)
    if 0 in jax.eval_shape(total, image).shape:
        return
    assert_same(total, image)
    assert "reduce_window" not in primitives(total, image)


@pytest.mark.parametrize(
    "layer",
    [
        lambda: keras.layers.Conv2D(4, 3, strides=2, padding="same"),
        lambda: keras.layers.Conv2D(4, 3, dilation_rate=2, groups=2),
        lambda: keras.layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same"),
        lambda: keras.layers.SeparableConv2D(5, 2),
        lambda: keras.layers.Conv2DTranspose(3, 3, strides=2),
        lambda: keras.layers.Conv2D(3, 3, data_format="channels_first"),
        lambda: keras.layers.MaxPooling2D(3, 2, padding="same"),
        lambda: keras.layers.AveragePooling2D(3, 2, padding="same"),
        lambda: keras.layers.AveragePooling2D(2),
    ],
)
def test_keras_layers_mean_the_same_covered_or_not(layer):
    layer = layer()
    image = normal(2, 8, 8, 4)
    layer.build(image.shape)
    assert_same(
        lambda x: layer.stateless_call([v.value for v in layer.trainable_variables], [], x)[0],
        image,
    )


def test_what_is_inside_jit_is_found_and_loops_are_left_alone():
    weights = normal(3, 3, 1, 2, seed=1)

    def convolve(image):
        return jax.lax.conv_general_dilated(
            image, weights, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC")
        )

    def looped(image):
        return jax.lax.fori_loop(
            0, 2, lambda _, total: total + convolve(image), 0.0 * convolve(image)
        )

    image = normal(2, 6, 6, 1)
    assert "conv_general_dilated" not in primitives(jax.jit(convolve), image)
    np.testing.assert_allclose(rewrite(looped)(image), looped(image), rtol=1e-5, atol=1e-5)
