"""Batch normalization, activation and pooling by kernels equal JAX's own, with their gradients."""

import functools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from scipy import special

from clearcnn.kernel_library import describe_kernels, open_library
from clearcnn.training.cpu_kernels import batch_norm, direct, rewrite

if open_library() is None:
    pytest.skip(describe_kernels(), allow_module_level=True)

SETTINGS = settings(
    max_examples=20, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate)
)
widths = st.one_of(st.integers(1, 40), st.sampled_from([63, 64, 65, 129]))
ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": jax.nn.relu,
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "tanh_gelu": functools.partial(jax.nn.gelu, approximate=True),
}


@pytest.fixture(autouse=True)
def kernels():
    """Leave the kernels on."""


def normal(*shape, seed=0, scale=1.0, mean=0.0):
    drawn = np.random.default_rng(seed).normal(mean, scale, size=shape)
    return jnp.asarray(drawn, jnp.float32)


def values_and_gradients(function, *args):
    value, pull_back = jax.vjp(function, *args)
    return value, *pull_back(normal(*value.shape, seed=9))


def assert_same(function, *args, targets=()):
    wanted = values_and_gradients(function, *args)
    program = jax.jit(functools.partial(values_and_gradients, rewrite(function)))
    text = program.lower(*args).as_text()
    assert all(target in text for target in targets)
    for mine, plain in zip(program(*args), wanted, strict=True):
        scale = max(1.0, float(jnp.abs(plain).max()))
        np.testing.assert_allclose(mine, plain, rtol=0, atol=5e-5 * scale)


def normalize(activation, x, gamma, beta, window=(1, 1)):
    mean, variance = jnp.mean(x, (0, 1, 2), keepdims=True), jnp.var(x, (0, 1, 2), keepdims=True)
    scale = jax.lax.rsqrt(variance + 1e-3) * gamma.reshape(1, 1, 1, -1)
    shift = beta.reshape(1, 1, 1, -1) - mean * scale
    y = ACTIVATIONS[activation](x * scale + shift)
    return y if window == (1, 1) else pool(jax.lax.max, -jnp.inf, window, window, "VALID", y)


@pytest.mark.parametrize("activation", ["linear", "relu", "gelu"])
def test_equal_numbers_in_a_window_and_negative_scales(activation):
    x = jnp.round(normal(5, 7, 9, 20))
    gamma = normal(20, seed=1).at[3].set(0.0)
    function = functools.partial(normalize, activation, window=(2, 2))
    assert_same(function, x, gamma, normal(20, seed=2), targets=("clearcnn_normalize_gradient",))


def test_a_bias_before_batch_normalization_is_no_pass_over_the_image():
    def function(x, bias, gamma, beta):
        return normalize("relu", x + bias.reshape(1, 1, 1, -1), gamma, beta)

    arrays = normal(4, 6, 5, 7), *(normal(7, seed=seed) for seed in (1, 2, 3))
    assert_same(function, *arrays)
    text = str(jax.make_jaxpr(rewrite(function))(*arrays))
    assert not [line for line in text.splitlines() if "f32[4,6,5,7] = add" in line]


@SETTINGS
@given(
    samples=st.sampled_from([1, 2, 7, 33]),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    window=st.sampled_from([(1, 1), (2, 2), (3, 1), (2, 3)]),
    channels=widths,
    activation=st.sampled_from(list(ACTIVATIONS)),
    mean=st.sampled_from([0.0, 1.0, -3.0]),
)
def test_any_batch_normalization(samples, size, window, channels, activation, mean):
    assume(samples * size[0] * size[1] > 1)
    assume(size[0] >= window[0] and size[1] >= window[1])
    x = normal(samples, *size, channels, mean=mean)
    arrays = (x, normal(channels, seed=1), normal(channels, seed=2))
    targets = ("clearcnn_moments", "clearcnn_normalize", "clearcnn_normalize_gradient")
    assert_same(functools.partial(normalize, activation, window=window), *arrays, targets=targets)


@pytest.mark.parametrize("spread", [1e-3, 1.0, 1e3])
def test_moments_of_numbers_far_from_zero(spread):
    assert direct.are_on()  # Also registers the kernels.
    x = normal(40, 16, 16, 5, scale=spread, mean=1000 * spread)
    mean, variance = batch_norm.moments(x, jnp.int32(len(x)))
    exact = np.asarray(x, np.float64)
    np.testing.assert_allclose(mean, exact.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(variance, exact.var((0, 1, 2)), rtol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize(
    ("pooling", "window"),
    [("MaxPooling2D", (2, 2)), ("MaxPooling2D", (3, 2)), ("AveragePooling2D", (3, 2))],
)
def test_keras_layers_in_a_row(activation, pooling, window):
    model = keras.Sequential(
        [
            keras.Input((9, 9, 3)),
            keras.layers.Conv2D(20, 3),
            keras.layers.BatchNormalization(),
            keras.layers.Activation(activation),
            getattr(keras.layers, pooling)(window[0], window[1]),
        ]
    )

    def call(weights, images):
        output, state = model.stateless_call(
            weights, model.non_trainable_variables, images, training=True
        )
        return jnp.concatenate([output.ravel(), *(value.ravel() for value in state)])

    def with_weights(*arrays):
        return call(list(arrays[:-1]), arrays[-1])

    weights = [jnp.asarray(variable.value) for variable in model.trainable_variables]
    assert_same(with_weights, *weights, normal(6, 9, 9, 3), targets=("clearcnn_moments",))


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (7, 6)])
def test_gelu_is_found_wherever_it_stands(shape):
    function = ACTIVATIONS["gelu"]
    assert "erfc" not in str(jax.make_jaxpr(rewrite(function))(normal(*shape)))
    assert_same(function, normal(*shape, scale=3))


@pytest.mark.parametrize("channels", [1, 4, 8, 16])
def test_gelu_and_its_slope_are_as_exact_as_stated(channels):
    assert direct.register()
    x = np.linspace(-12, 12, 96_000, dtype=np.float32)
    exact = x.astype(np.float64)
    probability = special.ndtr(exact)
    density = np.exp(exact**2 / -2) / np.sqrt(2 * np.pi)
    ones, zeros = jnp.ones(channels), jnp.zeros(channels)
    mean, count = jnp.zeros(channels), jnp.int32(1)

    def gelu(image):
        def prepare(*_):
            return ones, zeros

        statistics = mean, mean
        return batch_norm.normalize(prepare, "gelu", (1, 1), image, count, statistics, [])

    value, pull_back = jax.vjp(gelu, jnp.asarray(x.reshape(1, 20, -1, channels)))
    (slope,) = pull_back(jnp.ones_like(value))
    bound = 3e-7 * np.maximum(1, np.abs(exact))
    assert (np.abs(value.ravel() - exact * probability) < bound).all()
    np.testing.assert_allclose(slope.ravel(), probability + exact * density, rtol=0, atol=5e-7)
    assert np.isnan(gelu(jnp.full((1, 2, 2, channels), jnp.nan))).all()


@pytest.mark.parametrize(
    "function",
    [
        lambda x: jnp.log(jax.lax.erfc(x)),
        lambda x: 0.5 * x * jax.lax.erfc(-x * 0.7),
        lambda x: 0.5 * (x + 1) * jax.lax.erfc(-x * np.float32(np.sqrt(0.5))),
    ],
)
def test_another_use_of_erfc_stays(function):
    x = normal(2, 3, 4, 5, scale=2)
    assert "erfc" in str(jax.make_jaxpr(rewrite(function))(x))
    assert_same(function, x)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: jnp.var(x, (0, 1, 2), ddof=1, keepdims=True) + jnp.mean(x, (0, 1, 2)),
        lambda x: jnp.var(x, (1, 2), keepdims=True) + jnp.mean(x, (1, 2), keepdims=True),
        lambda x: (lambda p: p + jax.nn.relu(p + 1))(x * jnp.ones((1, 1, 1, 5))),
        lambda x: (lambda p: p * jax.nn.relu(p))(x * jnp.full((1, 1, 1, 5), 2.0) + x[:1, :1, :1]),
        lambda x: x * x[:, :1, :1] + x[:1, :1, :1],
        lambda x: x * jnp.sum(x) + x[0, 0, 0, 0],
    ],
    ids=["unbiased", "of each image", "read twice", "sum read twice", "for each image", "scalar"],
)
def test_what_only_looks_like_it_keeps_its_meaning(function):
    assert_same(function, normal(3, 4, 6, 5))


windows = {
    "size": st.tuples(st.integers(1, 9), st.integers(1, 9)),
    "window": st.tuples(st.integers(1, 4), st.integers(1, 4)),
    "strides": st.tuples(st.integers(1, 3), st.integers(1, 3)),
    "padding": st.sampled_from(["VALID", "SAME", ((0, 0), (1, 2), (0, 3), (0, 0))]),
    "channels": widths,
}


def pool(operation, initial, window, strides, padding, image):
    return jax.lax.reduce_window(
        image, initial, operation, (1, *window, 1), (1, *strides, 1), padding
    )


@SETTINGS
@given(**windows, values=st.sampled_from(["ties", "normal", "minus infinity"]))
def test_max_pooling_with_ties(size, window, strides, padding, channels, values):
    image = normal(5, *size, channels)
    image = {"ties": jnp.round(image), "normal": image}.get(values, jnp.full_like(image, -jnp.inf))
    function = functools.partial(pool, jax.lax.max, -jnp.inf, window, strides, padding)
    assume(0 not in jax.eval_shape(function, image).shape)
    wanted, got = (values_and_gradients(f, image) for f in (function, rewrite(function)))
    for mine, plain in zip(got, wanted, strict=True):
        np.testing.assert_allclose(mine, plain, rtol=1e-6, atol=1e-5)
    assert "clearcnn_max_pool" in str(jax.make_jaxpr(rewrite(function))(image))


@SETTINGS
@given(**windows)
def test_sum_pooling(size, window, strides, padding, channels):
    function = functools.partial(pool, jax.lax.add, 0.0, window, strides, padding)
    image = normal(5, *size, channels)
    assume(0 not in jax.eval_shape(function, image).shape)
    assert_same(function, image, targets=("clearcnn_sum_pool", "clearcnn_sum_pool_gradient"))


def test_not_a_number_is_the_largest():
    image = normal(2, 6, 6, 17).at[1, 2, 3, 4].set(jnp.nan)
    function = functools.partial(pool, jax.lax.max, -jnp.inf, (3, 3), (2, 2), "SAME")
    np.testing.assert_array_equal(rewrite(function)(image), function(image))


@pytest.mark.parametrize("function", [functools.partial(normalize, "relu"), lambda x, *_: x])
def test_under_vmap(function):
    def pooled(*args):
        return pool(jax.lax.max, -jnp.inf, (2, 2), (2, 2), "VALID", function(*args))

    arrays = (normal(3, 2, 6, 6, 4), normal(3, 4, seed=1), normal(3, 4, seed=2))
    got = jax.vmap(functools.partial(values_and_gradients, rewrite(pooled)))(*arrays)
    plain = jax.vmap(functools.partial(values_and_gradients, pooled))(*arrays)
    for mine, wanted in zip(got, plain, strict=True):
        np.testing.assert_allclose(mine, wanted, rtol=1e-4, atol=1e-4)


def test_the_same_bits_each_time_on_many_threads_at_once():
    arrays = (normal(64, 16, 16, 20), normal(20, seed=1), normal(20, seed=2))
    function = rewrite(functools.partial(normalize, "relu"))
    program = jax.jit(functools.partial(values_and_gradients, function))
    several = jax.jit(
        lambda x, *rest: [values_and_gradients(function, x + 0 * k, *rest) for k in range(4)]
    )
    first = program(*arrays)
    for again in several(*arrays):
        np.testing.assert_array_equal(again[2], first[2])


def test_shapes_that_do_not_belong_together_are_refused():
    result = jax.ShapeDtypeStruct((4,), jnp.float32)
    call = jax.ffi.ffi_call("clearcnn_moments", (result, result))
    with pytest.raises(jax.errors.JaxRuntimeError, match="do not belong together"):
        jax.block_until_ready(call(normal(9, 5), jnp.int32(9)))
    results = (
        jax.ShapeDtypeStruct((2, 5, 4, 3), jnp.float32),
        jax.ShapeDtypeStruct((2, 5, 4, 3), jnp.int8),
    )
    pooling = jax.ffi.ffi_call("clearcnn_max_pool", results)
    two, none = np.array([2, 2]), np.zeros(4, np.int64)
    with pytest.raises(jax.errors.JaxRuntimeError, match="do not belong together"):
        jax.block_until_ready(pooling(normal(2, 8, 8, 3), window=two, strides=two, padding=none))
