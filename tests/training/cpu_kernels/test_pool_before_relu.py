"""Pooling before bias and ReLU changes neither values nor gradients."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearcnn.training.cpu_kernels import rewrite


def normal(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).normal(size=shape), jnp.float32)


def pool(image, size, strides, padding):
    return jax.lax.reduce_window(
        image, -jnp.inf, jax.lax.max, (1, size, size, 1), (1, strides, strides, 1), padding
    )


def relu_shapes(function, *args):
    """The shapes of max(x, 0) in the rewritten function."""
    lines = str(jax.make_jaxpr(rewrite(function))(*args)).splitlines()
    maxima = [line for line in lines if re.search(r"= max \w+ 0\.0", line)]
    return [tuple(map(int, re.search(r"\[([\d,]+)\]", line)[1].split(","))) for line in maxima]


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    size=st.integers(1, 3),
    strides=st.integers(1, 3),
    padding=st.sampled_from(["VALID", "SAME"]),
    side=st.integers(3, 7),
    bias_first=st.booleans(),
    ties=st.booleans(),
)
def test_values_and_gradients_stay(size, strides, padding, side, bias_first, ties):
    image, bias = normal(2, side, side, 3), normal(3, seed=1)
    if ties:
        image = jnp.round(image)

    def block(image, bias):
        bias = bias.reshape(1, 1, 1, 3)
        biased = bias + image if bias_first else image + bias
        return pool(jax.nn.relu(biased), size, strides, padding)

    wanted, pull_back = jax.vjp(block, image, bias)
    got, pull_back_form = jax.vjp(rewrite(block), image, bias)
    np.testing.assert_array_equal(got, wanted)
    cotangent = normal(*wanted.shape, seed=2)
    for form, plain in zip(pull_back_form(cotangent), pull_back(cotangent), strict=True):
        np.testing.assert_allclose(form, plain, rtol=1e-5, atol=1e-5)


def test_relu_runs_on_the_pooled_values():
    def block(image):
        return pool(jax.nn.relu(image), 2, 2, "VALID")

    assert relu_shapes(block, normal(2, 6, 6, 3)) == [(2, 3, 3, 3)]


@pytest.mark.parametrize(
    "function",
    [
        lambda image: (lambda r: pool(r, 2, 2, "VALID").sum() + r.sum())(jax.nn.relu(image)),
        lambda image: -pool(-jax.nn.relu(image), 2, 2, "VALID"),
        lambda image: pool(jax.nn.relu(image), 2, 2, ((0, 0), (2, 0), (0, 0), (0, 0))),
    ],
    ids=["read twice", "negated between", "a window of padding only"],
)
def test_what_does_not_commute_stays_where_it_is(function):
    image = normal(2, 6, 6, 3)
    assert relu_shapes(function, image) == [(2, 6, 6, 3)]
    np.testing.assert_allclose(rewrite(function)(image), function(image), rtol=1e-5)


def test_a_bias_for_each_pixel_does_not_commute():
    image, bias = normal(2, 6, 6, 3), normal(1, 6, 6, 3, seed=1)

    def block(image):
        return pool(image + bias, 2, 2, "VALID")

    np.testing.assert_array_equal(rewrite(block)(image), block(image))
