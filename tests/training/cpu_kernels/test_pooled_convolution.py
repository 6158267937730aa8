"""Convolution, bias, ReLU and max pooling in one kernel equal the four operations of JAX."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from tests.training.cpu_kernels.plain_convolution import convolution, normal

from clearcnn.kernel_library import describe_kernels, open_library
from clearcnn.training.cpu_kernels import rewrite

if open_library() is None:
    pytest.skip(describe_kernels(), allow_module_level=True)

# Each example is compiled, so a failing one is not made smaller: that would take minutes.
SETTINGS = settings(
    max_examples=25, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate)
)
sides = st.integers(3, 12)
steps = st.integers(1, 3)
widths = st.one_of(st.integers(1, 40), st.sampled_from([63, 64, 65, 129]))
SAME = convolution()
TARGETS = (
    "clearcnn_convolve_pooled",
    "clearcnn_pooled_image_gradient",
    "clearcnn_pooled_kernel_gradient",
)


@pytest.fixture(autouse=True)
def kernels():
    """Leave the kernels on."""


def pool(image, size=(2, 2), strides=(2, 2), padding="VALID"):
    return jax.lax.reduce_window(
        image, -jnp.inf, jax.lax.max, (1, *size, 1), (1, *strides, 1), padding
    )


def block(image, kernel, bias, convolve=SAME, pool=pool, relu=True):
    biased = convolve(image, kernel) + bias.reshape(1, 1, 1, -1)
    return pool(jax.nn.relu(biased) if relu else biased)


def values_and_gradients(function, *arrays):
    value, pull_back = jax.vjp(function, *arrays)
    return value, *pull_back(normal(*value.shape, seed=2))


def arrays_for(samples=3, size=(9, 9), taps=(3, 3), channels=5, filters=17, ties=False):
    arrays = normal(samples, *size, channels), normal(*taps, channels, filters, seed=1)
    arrays = *arrays, normal(filters, seed=3)
    return tuple(jnp.round(array) for array in arrays) if ties else arrays


def calls(function: Any, *arrays: jax.Array) -> set[str]:
    """Return the kernels of this module that a rewritten function and its gradients call."""
    program = jax.jit(functools.partial(values_and_gradients, rewrite(function)))
    text = program.lower(*arrays).as_text()
    return {target for target in TARGETS if target in text}


@SETTINGS
@given(
    samples=st.sampled_from([1, 2, 7, 33]),
    size=st.tuples(sides, sides),
    taps=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(steps, steps),
    dilation=st.tuples(steps, steps),
    padding=st.sampled_from(["VALID", "SAME", ((2, 0), (-1, 3))]),
    window=st.tuples(steps, steps),
    pool_strides=st.tuples(steps, steps),
    pool_padding=st.sampled_from(["VALID", "SAME"]),
    channels=widths,
    filters=widths,
    relu=st.booleans(),
)
def test_any_shape(
    samples, size, taps, strides, dilation, padding, window, pool_strides, pool_padding, channels,
    filters, relu,
):  # fmt: skip
    # Small integers: sums are exact, so that ties are the same however they are computed.
    arrays = arrays_for(samples, size, taps, channels, filters, ties=True)
    function = functools.partial(
        block,
        convolve=convolution(1, strides, padding, dilation),
        pool=functools.partial(pool, size=window, strides=pool_strides, padding=pool_padding),
        relu=relu,
    )
    assume(0 not in jax.eval_shape(function, *arrays).shape)
    # Between equal numbers bias and ReLU make no difference, except that all below zero are one.
    wanted = values_and_gradients(function, *arrays)
    got = jax.jit(functools.partial(values_and_gradients, rewrite(function)))(*arrays)
    for mine, plain in zip(got, wanted, strict=True):
        scale = max(1.0, float(jnp.abs(plain).max()))
        np.testing.assert_allclose(mine, plain, rtol=0, atol=1e-5 * scale)
    if channels >= 4:
        assert calls(function, *arrays) == set(TARGETS)


@pytest.mark.parametrize(
    "function",
    [
        lambda image, kernel, bias: pool(convolution()(image, kernel)) + bias,
        lambda image, kernel, bias: pool(jax.nn.relu(convolution()(image, kernel))) + bias,
        lambda image, kernel, bias: block(image, kernel, bias[:1]),
    ],
    ids=["no bias", "ReLU without bias", "one bias for all"],
)
def test_what_is_left_out_of_the_chain(function):
    arrays = arrays_for()
    assert calls(function, *arrays) == set(TARGETS)
    wanted = values_and_gradients(function, *arrays)
    got = values_and_gradients(rewrite(function), *arrays)
    for mine, plain in zip(got, wanted, strict=True):
        np.testing.assert_allclose(mine, plain, rtol=1e-4, atol=1e-4)


def read_twice(image, kernel, bias):
    convolved = convolution()(image, kernel)
    return pool(jax.nn.relu(convolved + bias)).sum() + convolved.sum()


def relu_read_twice(image, kernel, bias):
    activated = jax.nn.relu(convolution()(image, kernel) + bias)
    return pool(activated).sum() + activated.sum()


def bias_after_relu(image, kernel, bias):
    return pool(jax.nn.relu(convolution()(image, kernel)) + bias.reshape(1, 1, 1, -1))


def another_activation(image, kernel, bias):
    return pool(jax.nn.sigmoid(convolution()(image, kernel) + bias.reshape(1, 1, 1, -1)))


def average(image, kernel, bias):
    biased = convolution()(image, kernel) + bias.reshape(1, 1, 1, -1)
    return jax.lax.reduce_window(
        jax.nn.relu(biased), 0.0, jax.lax.add, (1, 2, 2, 1), (1, 2, 2, 1), "VALID"
    )


@pytest.mark.parametrize(
    "function", [read_twice, relu_read_twice, bias_after_relu, another_activation, average]
)
def test_other_chains_run_as_before(function):
    arrays = arrays_for()
    assert calls(function, *arrays) == set()
    wanted = values_and_gradients(function, *arrays)
    got = values_and_gradients(rewrite(function), *arrays)
    for mine, plain in zip(got, wanted, strict=True):
        np.testing.assert_allclose(mine, plain, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_not_hidden(value):
    image, kernel, bias = arrays_for()
    image = image.at[1, 4, 4, 2].set(value)
    activated = jax.nn.relu(convolution()(image, kernel) + bias)
    # XLA's pooling drops NaN or keeps it, as it happens to be compiled; this maximum keeps it.
    windows = activated[:, :8, :8].reshape(3, 4, 2, 4, 2, -1)
    pooled, _, kernel_gradient, _ = values_and_gradients(rewrite(block), image, kernel, bias)
    np.testing.assert_allclose(pooled, windows.max((2, 4)), rtol=1e-5, atol=1e-5)
    assert not np.isfinite(pooled[1, 1:3, 1:3]).all()
    assert not np.isfinite(kernel_gradient[:, :, 2]).any()


@pytest.mark.parametrize("value", [np.nan, -np.nan])
@pytest.mark.parametrize("channels", [1, 17, 32])
def test_a_window_with_nan_gives_nan(value, channels):
    # XLA's own pooling gives a number for some of these windows, from 17 channels on.
    image = np.array(normal(3, 8, 8, channels))
    image[np.random.default_rng(1).random(image.shape) < 0.03] = value
    expected = image.reshape(3, 4, 2, 4, 2, channels).max((2, 4))
    np.testing.assert_array_equal(rewrite(pool)(jnp.asarray(image)), expected)


@pytest.mark.parametrize("samples", [0, 3])
@pytest.mark.parametrize("channels", [3, 5])
@pytest.mark.parametrize("convolve", [SAME, convolution(padding="VALID")])
def test_a_window_larger_than_the_image_gives_nothing(samples, channels, convolve):
    arrays = arrays_for(samples, (2, 2), channels=channels)
    function = functools.partial(
        block, convolve=convolve, pool=functools.partial(pool, size=(3, 3), strides=(2, 2))
    )
    wanted = values_and_gradients(function, *arrays)
    got = values_and_gradients(rewrite(function), *arrays)
    assert wanted[0].size == 0
    for mine, plain in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(mine, plain)


def test_a_padded_layer_on_an_empty_image():
    arrays = arrays_for(2, (2, 2), channels=4)

    def function(image, kernel, bias):
        empty = pool(image, size=(3, 3), strides=(1, 1))
        return block(empty, kernel, bias, convolve=convolution(padding=[(3, 2), (3, 2)]))

    wanted = function(*arrays)
    assert wanted.shape == (2, 1, 1, 17)
    np.testing.assert_array_equal(rewrite(function)(*arrays), wanted)


def test_under_vmap():
    image, kernel, bias = arrays_for(channels=4)
    images = jnp.stack([image, 2 * image])
    got = jax.vmap(functools.partial(values_and_gradients, rewrite(block)), (0, None, None))(
        images, kernel, bias
    )
    for number in range(2):
        alone = values_and_gradients(rewrite(block), images[number], kernel, bias)
        for mine, plain in zip(got, alone, strict=True):
            np.testing.assert_array_equal(mine[number], plain)


def test_the_same_bits_each_time_on_many_threads_at_once():
    arrays = arrays_for(64, (16, 16), (3, 3), 16, 32)
    program = jax.jit(functools.partial(values_and_gradients, rewrite(block)))
    first = program(*arrays)
    several = jax.jit(lambda *a: [program(a[0] + 0 * k, *a[1:]) for k in range(8)])
    for again in several(*arrays):
        for one, other in zip(first, again, strict=True):
            np.testing.assert_array_equal(one, other)


def test_shapes_that_do_not_belong_together_are_refused():
    shape = (2, 4, 4, 4)
    results = [jax.ShapeDtypeStruct(shape, jnp.float32), jax.ShapeDtypeStruct(shape, jnp.int8)]
    call = jax.ffi.ffi_call(TARGETS[0], results)
    pair, zeros = np.array([1, 1]), np.zeros(4, np.int64)
    settings = {"strides": pair, "dilation": pair, "padding": zeros + 1, "relu": np.bool_(True)}
    settings |= {"window": pair * 2, "pool_strides": pair * 2, "pool_padding": zeros}
    image, kernel = normal(2, 8, 8, 3), normal(3, 3, 3, 4)
    jax.block_until_ready(call(image, kernel, normal(4), **settings))
    for wrong in (
        (image, kernel, normal(3)),
        (image[..., :2], kernel, normal(4)),
        (image[:, :6], kernel, normal(4)),
    ):
        with pytest.raises(jax.errors.JaxRuntimeError, match="do not belong together"):
            jax.block_until_ready(call(*wrong, **settings))
