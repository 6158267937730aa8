"""Rows and columns that no pooling reads are not computed, and nothing else changes."""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from clearcnn.training.cpu_kernels import rewrite


def normal(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def convolve(image, kernel, strides=1, padding="VALID", dilation=1):
    return jax.lax.conv_general_dilated(
        image,
        kernel,
        (strides, strides),
        padding,
        rhs_dilation=(dilation, dilation),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def pool(image, size, strides, padding="VALID", largest=True):
    operation, initial = (jax.lax.max, -jnp.inf) if largest else (jax.lax.add, 0.0)
    return jax.lax.reduce_window(
        image, initial, operation, (1, size, size, 1), (1, strides, strides, 1), padding
    )


@functools.partial(jax.jit, static_argnums=0)
def values_and_gradients(function, *arrays):
    """The function's value, and the gradients of its arrays with a random cotangent."""
    value, pull_back = jax.vjp(function, *arrays)
    return value, *pull_back(normal(*value.shape, seed=3))


def product_rows(function, *arrays):
    """Height and width of the output of each convolution in the rewritten function."""
    jaxpr = str(jax.make_jaxpr(rewrite(function))(*arrays))
    found = re.findall(r"f32\[\d+,(\d+),(\d+),\d+\] = dot_general", jaxpr)
    return [(int(height), int(width)) for height, width in found]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    size=st.tuples(st.integers(9, 17), st.integers(9, 17)),
    kernel=st.integers(1, 4),
    strides=st.integers(1, 3),
    dilation=st.integers(1, 2),
    padding=st.sampled_from(["VALID", "SAME", ((2, 0), (0, 1)), ((-1, 1), (3, -1))]),
    window=st.integers(1, 3),
    steps=st.integers(1, 4),
    pool_padding=st.sampled_from(["VALID", "SAME"]),
    largest=st.booleans(),
    between=st.sampled_from(["nothing", "bias and ReLU", "tanh", "a second reader"]),
)
def test_values_and_gradients_stay(
    size, kernel, strides, dilation, padding, window, steps, pool_padding, largest, between
):
    arrays = (normal(2, *size, 1), normal(kernel, kernel, 1, 3, seed=1), normal(2, 2, 3, 2, seed=2))

    def network(image, first, second):
        seen = convolve(image, first, strides, padding, dilation)
        total = 0.0
        if between == "bias and ReLU":
            seen = jax.nn.relu(seen + jnp.ones((1, 1, 1, 3)))
        elif between == "tanh":
            seen = jnp.tanh(seen)
        elif between == "a second reader":
            total = seen.sum()
        seen = pool(seen, window, steps, pool_padding, largest)
        return pool(convolve(seen, second), 2, 2, "VALID", largest) + total

    if 0 in jax.eval_shape(network, *arrays).shape:
        return
    got = values_and_gradients(rewrite(network), *arrays)
    wanted = values_and_gradients(network, *arrays)
    for form, plain in zip(got, wanted, strict=True):
        np.testing.assert_allclose(form, plain, rtol=1e-4, atol=1e-4)


def test_what_is_not_read_is_not_computed():
    arrays = normal(2, 28, 28, 1), normal(3, 3, 1, 4), normal(3, 3, 4, 8)

    def network(image, first, second):
        seen = pool(jax.nn.relu(convolve(image, first) + jnp.ones((1, 1, 1, 4))), 2, 2)
        return pool(jax.nn.relu(convolve(seen, second)), 2, 2)

    # 26, 13, 11 and 5 in the plain network: 5 windows of 2 read 10, which need 12, and these 24.
    assert product_rows(network, *arrays) == [(24, 24), (10, 10)]


def test_what_another_reads_is_computed():
    arrays = normal(2, 11, 11, 1), normal(3, 3, 1, 4)

    def read_twice(image, kernel):
        seen = convolve(image, kernel)
        return pool(seen, 2, 2).sum() + seen.sum()

    def given_back(image, kernel):
        seen = convolve(image, kernel)
        return pool(seen, 2, 2), seen

    assert product_rows(read_twice, *arrays) == [(9, 9)]
    assert product_rows(given_back, *arrays) == [(9, 9)]
    assert product_rows(lambda *a: pool(convolve(*a), 2, 2), *arrays) == [(8, 8)]
