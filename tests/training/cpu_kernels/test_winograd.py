"""Winograd's algorithm equals the plain convolution, and is used where it is faster."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearcnn.training.cpu_kernels import rewrite


def normal(*shape, seed=0, dtype=jnp.float32):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), dtype)


def convolution(padding="VALID", strides=(1, 1), dilation=(1, 1)):
    def convolve(image, kernel):
        return jax.lax.conv_general_dilated(
            image,
            kernel,
            strides,
            padding,
            rhs_dilation=dilation,
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )

    return convolve


@functools.partial(jax.jit, static_argnums=0)
def values_and_gradients(function, *arrays):
    """The function's value, and the gradients of its arrays with a random cotangent."""
    value, pull_back = jax.vjp(function, *arrays)
    return value, *pull_back(normal(*value.shape, seed=2))


def products(function, *arrays):
    """How many matrix products the rewritten function takes."""
    return str(jax.make_jaxpr(rewrite(function))(*arrays)).count("dot_general")


@settings(max_examples=8, deadline=None, derandomize=True)
@given(
    size=st.tuples(st.integers(3, 11), st.integers(3, 11)),
    padding=st.sampled_from(["VALID", "SAME", ((2, 0), (-1, 3)), ((0, -1), (3, 3))]),
    samples=st.integers(1, 3),
)
def test_values_and_gradients(size, padding, samples):
    image, kernel = normal(samples, *size, 32), normal(3, 3, 32, 40, seed=1)
    convolve = convolution(padding)
    if 0 in jax.eval_shape(convolve, image, kernel).shape:
        return
    got = values_and_gradients(rewrite(convolve), image, kernel)
    wanted = values_and_gradients(convolve, image, kernel)
    for form, plain in zip(got, wanted, strict=True):
        np.testing.assert_allclose(form, plain, rtol=1e-4, atol=1e-3)
    assert products(convolve, image, kernel) == 16


def test_rounding_stays_near_that_of_the_plain_sum():
    image, kernel = normal(4, 20, 20, 64), normal(3, 3, 64, 64, seed=1)
    with jax.enable_x64(True):
        doubles = (jnp.asarray(np.asarray(array), jnp.float64) for array in (image, kernel))
        exact = np.asarray(convolution("SAME")(*doubles))
    plain = np.abs(np.asarray(convolution("SAME")(image, kernel)) - exact).max()
    form = np.abs(np.asarray(rewrite(convolution("SAME"))(image, kernel)) - exact).max()
    assert form < 10 * plain
    assert form / np.abs(exact).max() < 1e-6


@pytest.mark.parametrize(
    ("convolve", "image", "kernel"),
    [
        (convolution(strides=(2, 2)), normal(1, 9, 9, 32), normal(3, 3, 32, 32)),
        (convolution(dilation=(2, 2)), normal(1, 9, 9, 32), normal(3, 3, 32, 32)),
        (convolution(), normal(1, 9, 9, 32), normal(5, 5, 32, 32)),
        (convolution(), normal(1, 9, 9, 31), normal(3, 3, 31, 32)),
        (convolution(), normal(1, 9, 9, 32), normal(3, 3, 32, 31)),
        (
            convolution(),
            normal(1, 9, 9, 32, dtype=jnp.bfloat16),
            normal(3, 3, 32, 32, dtype=jnp.bfloat16),
        ),
    ],
    ids=["strides", "dilation", "5×5", "few channels", "few filters", "half precision"],
)
def test_other_convolutions_are_left_to_patches(convolve, image, kernel):
    assert products(convolve, image, kernel) == 1
