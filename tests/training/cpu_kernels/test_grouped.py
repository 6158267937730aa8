"""Depthwise and grouped convolutions by compiled kernels equal XLA's own, over drawn shapes."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from tests.training.cpu_kernels.plain_convolution import convolution, normal, values_and_gradients

from clearcnn.kernel_library import describe_kernels, open_library
from clearcnn.training.cpu_kernels import depthwise, rewrite
from clearcnn.training.cpu_kernels.window_geometry import Geometry

import keras  # isort: skip

if open_library() is None:
    pytest.skip(describe_kernels(), allow_module_level=True)

# Each example is compiled, so a failing one is not made smaller: that would take minutes.
SETTINGS = settings(
    max_examples=15, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate)
)
sides = st.integers(1, 12)
steps = st.integers(1, 3)
samples = st.sampled_from([1, 2, 3, 7, 16, 33])
kernel_sides = st.tuples(st.integers(1, 6), st.integers(1, 6))
paddings = st.sampled_from(["VALID", "SAME", ((2, 0), (-1, 3)), ((-1, -1), (0, 9))])
DEPTHWISE = (
    "clearcnn_depthwise",
    "clearcnn_depthwise_image_gradient",
    "clearcnn_depthwise_kernel_gradient",
)
GROUPED = ("clearcnn_convolve", "clearcnn_image_gradient", "clearcnn_kernel_gradient")


@pytest.fixture(autouse=True)
def kernels():
    """Leave the kernels on."""


def assert_same(function, image, kernel, targets):
    wanted = jax.jit(functools.partial(values_and_gradients, function))(image, kernel)
    program = jax.jit(functools.partial(values_and_gradients, rewrite(function)))
    text = program.lower(image, kernel).as_text()
    assert all(f"@{target}(" in text for target in targets)
    for mine, plain in zip(program(image, kernel), wanted, strict=True):
        scale = max(1.0, float(jnp.abs(plain).max()))
        np.testing.assert_allclose(mine, plain, rtol=0, atol=1e-5 * scale)


@SETTINGS
@given(
    samples=st.sampled_from([1, 2, 3, 7]),  # XLA takes seconds for more.
    size=st.tuples(sides, sides),
    kernel=kernel_sides,
    strides=st.tuples(steps, steps),
    dilation=st.tuples(steps, steps),
    padding=paddings,
    channels=st.one_of(st.integers(2, 40), st.sampled_from([48, 63, 64, 65, 96, 129])),
    multiplier=st.sampled_from([1, 1, 2, 3]),
)
def test_any_depthwise_convolution(
    samples, size, kernel, strides, dilation, padding, channels, multiplier
):
    assume(size[0] > 1 or padding[0] != (-1, -1))  # JAX refuses it.
    convolve = convolution(channels, strides, padding, dilation)
    image = normal(samples, *size, channels)
    weights = normal(*kernel, 1, channels * multiplier, seed=1)
    assume(0 not in jax.eval_shape(convolve, image, weights).shape)
    assert_same(convolve, image, weights, DEPTHWISE)


@SETTINGS
@given(
    samples=samples,
    size=st.tuples(sides, sides),
    kernel=kernel_sides,
    strides=st.tuples(steps, steps),
    dilation=st.tuples(steps, steps),
    padding=paddings,
    groups=st.integers(2, 5),
    channels=st.one_of(st.integers(4, 20), st.sampled_from([32, 33])),
    filters=st.one_of(st.integers(4, 20), st.sampled_from([32, 65])),
)
def test_any_grouped_convolution(
    samples, size, kernel, strides, dilation, padding, groups, channels, filters
):
    assume(size[0] > 1 or padding[0] != (-1, -1))
    convolve = convolution(groups, strides, padding, dilation)
    image = normal(samples, *size, groups * channels)
    weights = normal(*kernel, channels, groups * filters, seed=1)
    assume(0 not in jax.eval_shape(convolve, image, weights).shape)
    assert_same(convolve, image, weights, GROUPED)


@pytest.mark.parametrize(
    ("layer", "targets"),
    [
        (lambda: keras.layers.DepthwiseConv2D(3, padding="same"), DEPTHWISE),
        (lambda: keras.layers.DepthwiseConv2D(3, 2, depth_multiplier=2), DEPTHWISE),
        (lambda: keras.layers.SeparableConv2D(5, 3, dilation_rate=2), (*DEPTHWISE, *GROUPED)),
        (lambda: keras.layers.SeparableConv2D(5, 3, depth_multiplier=3), (*DEPTHWISE, *GROUPED)),
        (lambda: keras.layers.Conv2D(16, 3, groups=2), GROUPED),
    ],
)
def test_layers_of_keras_run_by_the_kernels(layer, targets):
    layer = layer()
    image = normal(5, 12, 11, 8)
    layer.build(image.shape)
    first, *others = [variable.value for variable in layer.trainable_variables]

    def call(image, first):
        return layer.stateless_call([first, *others], [], image)[0]

    # The pointwise kernel is not differentiated here.
    needed = [name for name in targets if targets is GROUPED or name != "clearcnn_kernel_gradient"]
    assert_same(call, image, first, needed)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("shape", [(3, 3, 1, 17), (3, 3, 1, 34)])
def test_what_is_not_finite_spreads_as_in_xla(value, shape):
    image = normal(3, 9, 9, 17).at[1, 4, 4, 2].set(value)
    weights = normal(*shape, seed=1)
    plain = values_and_gradients(convolution(17), image, weights)
    got = values_and_gradients(rewrite(convolution(17)), image, weights)
    for mine, wanted in zip(got, plain, strict=True):
        np.testing.assert_array_equal(np.isfinite(mine), np.isfinite(wanted))
    assert not np.isfinite(got[0]).all()


@pytest.mark.parametrize("groups", [4, 16])
def test_the_same_bits_each_time_on_many_threads_at_once(groups):
    image, weights = normal(64, 16, 16, 16), normal(3, 3, 16 // groups, 32, seed=1)
    program = jax.jit(functools.partial(values_and_gradients, rewrite(convolution(groups))))
    first = program(image, weights)
    several = jax.jit(lambda *a: [program(a[0] + 0 * k, a[1]) for k in range(8)])
    for again in several(image, weights):
        for one, other in zip(first, again, strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("groups", "dtype", "covered"),
    [(16, jnp.float32, True), (8, jnp.float32, False), (16, jnp.bfloat16, False)],
)
def test_what_is_not_covered_is_left_to_the_forms(groups, dtype, covered):
    geometry = Geometry((3, 3), (1, 1), (1, 1), ((1, 1), (1, 1)), groups)
    image, weights = jnp.zeros((8, 32, 32, 16), dtype), jnp.zeros((3, 3, 16 // groups, 16), dtype)
    assert depthwise.suits(geometry, image, weights) is covered


@pytest.mark.parametrize("shape", [(2, 9, 8, 3), (2, 8, 8, 4), (3, 8, 8, 3)])
def test_shapes_that_do_not_belong_together_are_refused(shape):
    call = jax.ffi.ffi_call("clearcnn_depthwise", jax.ShapeDtypeStruct(shape, jnp.float32))
    sizes = {
        "strides": np.array([1, 1]),
        "dilation": np.array([1, 1]),
        "padding": np.array([1, 1, 1, 1]),
    }
    with pytest.raises(jax.errors.JaxRuntimeError, match="do not belong together"):
        jax.block_until_ready(call(normal(2, 8, 8, 3), normal(3, 3, 1, 3), **sizes))
