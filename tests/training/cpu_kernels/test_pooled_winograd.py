"""Winograd's convolution pooled in its tiles equals convolution, bias, ReLU and pooling in turn."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearcnn.training.cpu_kernels import convolution, rewrite

CHANNELS, FILTERS = 32, 40


def normal(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def convolve(image, kernel, padding="VALID", strides=(1, 1)):
    return jax.lax.conv_general_dilated(
        image, kernel, strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def pool(image, size=2, strides=2, padding="VALID"):
    return jax.lax.reduce_window(
        image, -jnp.inf, jax.lax.max, (1, size, size, 1), (1, strides, strides, 1), padding
    )


def block(padding, image, kernel, bias):
    return pool(jax.nn.relu(convolve(image, kernel, padding) + bias.reshape(1, 1, 1, -1)))


@functools.partial(jax.jit, static_argnums=0)
def values_and_gradients(function, *arrays):
    value, pull_back = jax.vjp(function, *arrays)
    return value, *pull_back(normal(*value.shape, seed=2))


def shapes(function, *arrays):
    """The shapes of all values in the rewritten function."""
    closed = jax.make_jaxpr(rewrite(function))(*arrays)
    found = set()

    def walk(jaxpr):
        for equation in jaxpr.eqns:
            found.update(variable.aval.shape for variable in equation.outvars)
            for parameter in jax.tree.leaves(equation.params):
                walk_into = getattr(parameter, "jaxpr", parameter)
                if hasattr(walk_into, "eqns"):
                    walk(walk_into)

    walk(closed.jaxpr)
    return found


@settings(max_examples=10, deadline=None, derandomize=True)
@given(
    size=st.tuples(st.integers(5, 11), st.integers(5, 11)),
    padding=st.sampled_from(["VALID", "SAME", ((2, 0), (-1, 3))]),
    ties=st.booleans(),
    pieces=st.booleans(),
)
def test_values_and_gradients(size, padding, ties, pieces):
    image, kernel = normal(4, *size, CHANNELS), normal(3, 3, CHANNELS, FILTERS, seed=1)
    bias = normal(FILTERS, seed=3)
    if ties:
        # Whole numbers, so that the forms' sums are exact and tie where the plain ones do.
        image, kernel = jnp.round(image), 2 * jnp.round(kernel / 4)
    function = functools.partial(block, padding)
    with pytest.MonkeyPatch.context() as patched:
        if pieces:
            patched.setattr(convolution, "BUDGET_BYTES", 2**16)
        got = values_and_gradients(rewrite(function), image, kernel, bias)
        unpooled = jax.eval_shape(functools.partial(convolve, padding=padding), image, kernel)
        n, rows, columns, filters = unpooled.shape
        woven = (n, rows // 2 * 2, columns // 2 * 2, filters)
        assert woven not in shapes(function, image, kernel, bias)
    wanted = values_and_gradients(function, image, kernel, bias)
    for form, plain in zip(got, wanted, strict=True):
        np.testing.assert_allclose(form, plain, rtol=1e-4, atol=1e-3)


def test_many_windows_tie():
    image = jnp.round(normal(4, 8, 8, CHANNELS) / 3)
    kernel = 2 * jnp.round(normal(3, 3, CHANNELS, FILTERS, seed=1) / 4)
    pixels = convolve(image, kernel, "SAME").reshape(4, 4, 2, 4, 2, FILTERS)
    largest = pixels.max((2, 4), keepdims=True)
    assert ((pixels == largest).sum((2, 4)) > 1).mean() > 0.01
    function = functools.partial(block, "SAME")
    arrays = (image, kernel, jnp.zeros(FILTERS))
    got = values_and_gradients(rewrite(function), *arrays)
    for form, plain in zip(got, values_and_gradients(function, *arrays), strict=True):
        np.testing.assert_allclose(form, plain, rtol=1e-4, atol=1e-3)


def read_twice(image, kernel):
    convolved = convolve(image, kernel)
    return pool(convolved), convolved


@pytest.mark.parametrize(
    "function",
    [
        read_twice,
        lambda image, kernel: pool(convolve(image, kernel), size=3),
        lambda image, kernel: pool(convolve(image, kernel), strides=1),
        lambda image, kernel: pool(convolve(image, kernel), padding="SAME"),
        lambda image, kernel: pool(jnp.tanh(convolve(image, kernel))),
    ],
    ids=["read twice", "windows of 3", "steps of 1", "padded", "tanh between"],
)
def test_what_is_no_tile_is_pooled_afterwards(function):
    image, kernel = normal(2, 9, 9, CHANNELS), normal(3, 3, CHANNELS, FILTERS, seed=1)
    assert any(shape[0] == 2 and shape[1] >= 6 for shape in shapes(function, image, kernel))
    got, wanted = rewrite(function)(image, kernel), function(image, kernel)
    for form, plain in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
        np.testing.assert_allclose(form, plain, rtol=1e-4, atol=1e-3)


def test_a_convolution_that_winograd_leaves_is_pooled_afterwards():
    def function(image, kernel):
        return pool(convolve(image, kernel, strides=(2, 2)))

    image, kernel = normal(2, 9, 9, CHANNELS), normal(3, 3, CHANNELS, FILTERS, seed=1)
    assert (2, 4, 4, FILTERS) in shapes(function, image, kernel)
    np.testing.assert_allclose(
        rewrite(function)(image, kernel), function(image, kernel), rtol=1e-4, atol=1e-3
    )
