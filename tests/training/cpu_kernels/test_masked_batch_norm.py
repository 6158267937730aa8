"""Batch normalization of the first samples is that of a smaller batch; others change nothing."""

import functools

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from clearcnn.kernel_library import describe_kernels, open_library
from clearcnn.training import keras_state
from clearcnn.training.counted_step import run_counted_step
from clearcnn.training.cpu_kernels import batch_norm, direct, loss_in_cpu_forms, rewrite
from clearcnn.training.first_moments import first_moments, first_moments_plainly

if open_library() is None:
    pytest.skip(describe_kernels(), allow_module_level=True)

SETTINGS = settings(
    max_examples=30, deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate)
)


@pytest.fixture(autouse=True)
def kernels():
    """Leave the kernels on, and make them known to XLA."""
    assert direct.are_on()


def normal(*shape, seed=0, mean=0.0):
    return np.random.default_rng(seed).normal(mean, 1, size=shape).astype(np.float32)


@given(
    seed=st.integers(0, 1000),
    shape=st.one_of(
        st.tuples(st.integers(1, 40), st.integers(1, 70)),
        st.tuples(st.integers(1, 9), st.integers(1, 6), st.integers(1, 6), st.integers(1, 40)),
    ),
    share=st.floats(0, 1),
    mean=st.sampled_from([0.0, 300.0]),
)
@SETTINGS
def test_both_forms_are_numpys_mean_and_variance_and_ignore_the_rest(seed, shape, share, mean):
    batch = normal(*shape, seed=seed, mean=mean)
    count = 1 + int(share * (shape[0] - 1))
    axes = tuple(range(len(shape) - 1))
    first = batch[:count].astype(np.float64)
    batch[count:] = np.inf
    for form in (first_moments_plainly, batch_norm.moments):
        found_mean, found_variance = form(jnp.asarray(batch), jnp.int32(count))
        np.testing.assert_allclose(found_mean, first.mean(axes), rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(found_variance, first.var(axes), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_the_gradient_is_that_of_the_smaller_batch(count):
    batch, weights = jnp.asarray(normal(7, 4, 5, 6)), normal(2, 6, seed=1)

    def loss(moments, batch, *rest):
        mean, variance = moments(batch, *rest)
        return jnp.sum(mean * weights[0]) + jnp.sum(jnp.sqrt(variance + 0.1) * weights[1])

    def of_smaller(batch):
        return batch.mean((0, 1, 2)), batch.var((0, 1, 2))

    wanted = jax.grad(lambda batch: loss(of_smaller, batch))(batch[:count])
    for form in (first_moments_plainly, batch_norm.moments):
        found = jax.grad(lambda batch, f=form: loss(f, batch, jnp.int32(count)))(batch)
        np.testing.assert_allclose(found[:count], wanted, atol=1e-6)
        assert not np.any(found[count:])


def test_the_count_is_an_input_and_the_kernel_is_called():
    batch = normal(6, 3, 3, 8)
    rewritten = jax.jit(rewrite(first_moments))
    text = rewritten.lower(batch, jnp.int32(2)).as_text()
    assert "custom_call @clearcnn_moments" in text
    for count in (1, 4, 6):
        mean, variance = rewritten(batch, jnp.int32(count))
        np.testing.assert_allclose(mean, batch[:count].mean((0, 1, 2)), atol=1e-5)
        np.testing.assert_allclose(variance, batch[:count].var((0, 1, 2)), atol=1e-5)
    assert rewritten._cache_size() == 1


@pytest.mark.parametrize("count", [0, -1, 7])
def test_a_count_beyond_the_batch_is_an_error_and_reads_nothing(count):
    with pytest.raises(jax.errors.JaxRuntimeError, match="do not belong together"):
        jax.block_until_ready(batch_norm.moments(normal(6, 8), jnp.int32(count)))


ACTIVATIONS = {
    "linear": lambda x: x,
    "relu": jax.nn.relu,
    "gelu": functools.partial(jax.nn.gelu, approximate=False),
    "tanh_gelu": functools.partial(jax.nn.gelu, approximate=True),
}


def normalize(activation, window, moments, image, bias, gamma, beta):
    image = image + bias.reshape(1, 1, 1, -1)
    mean, variance = (each.reshape(1, 1, 1, -1) for each in moments(image))
    scale = jax.lax.rsqrt(variance + 1e-3) * gamma.reshape(1, 1, 1, -1)
    y = ACTIVATIONS[activation](image * scale + (beta.reshape(1, 1, 1, -1) - mean * scale))
    if window != (1, 1):
        sizes = (1, *window, 1)
        y = jax.lax.reduce_window(y, -jnp.inf, jax.lax.max, sizes, sizes, "VALID")
    return y, (mean, variance)


@given(
    images=st.integers(1, 9),
    share=st.floats(0, 1),
    size=st.tuples(st.integers(3, 7), st.integers(3, 7)),
    window=st.sampled_from([(1, 1), (2, 2), (2, 3)]),
    channels=st.integers(1, 40),
    activation=st.sampled_from(list(ACTIVATIONS)),
)
@SETTINGS
def test_the_fused_form_is_that_of_the_smaller_batch(
    images, share, size, window, channels, activation
):
    count = 1 + int(share * (images - 1))
    image = normal(images, *size, channels, mean=0.5)
    weights = tuple(map(jnp.asarray, normal(3, channels, seed=1)))
    form = functools.partial(normalize, activation, window)

    def of_smaller(image, *weights):
        axes = (0, 1, 2)
        return form(lambda x: (x.mean(axes), x.var(axes)), image, *weights)

    def of_first(image, count, *weights):
        return form(lambda x: first_moments(x, count), image, *weights)

    def run(image, count, cotangent, *weights):
        def of_counted(image, *weights):
            return rewrite(of_first)(image, count, *weights)

        y, pull_back, moments = jax.vjp(of_counted, image, *weights, has_aux=True)
        return y, moments, pull_back(cotangent)

    wanted, pull_back, moments = jax.vjp(of_smaller, image[:count], *weights, has_aux=True)
    rest = np.zeros((images - count, *wanted.shape[1:]), np.float32)
    cotangent = np.concatenate([normal(*wanted.shape, seed=2), rest])
    of_image, *of_weights = pull_back(cotangent[:count])
    program = jax.jit(run)
    text = program.lower(image, jnp.int32(count), cotangent, *weights).as_text()
    assert "custom_call @clearcnn_normalize_gradient" in text
    found, found_moments, (found_image, *found_weights) = program(
        image, jnp.int32(count), cotangent, *weights
    )
    assert np.isfinite(found).all()
    assert not np.any(found_image[count:])
    pairs = zip(
        [found[:count], *found_moments, found_image[:count], *found_weights],
        [wanted, *moments, of_image, *of_weights],
        strict=True,
    )
    for mine, plain in pairs:
        atol = 5e-5 * max(1.0, float(np.abs(plain).max()))
        np.testing.assert_allclose(mine, plain, rtol=0, atol=atol)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_a_counted_step_of_keras_layers_is_fused_and_that_of_the_smaller_batch(
    activation, monkeypatch
):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((9, 9, 3)),
            keras.layers.Conv2D(20, 3),
            keras.layers.BatchNormalization(),
            keras.layers.Activation(activation),
            keras.layers.MaxPooling2D(2),
            keras.layers.Conv2D(8, 2, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.Activation(activation),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    x, y = normal(8, 9, 9, 3), np.arange(8) % 3
    model.optimizer.build(model.trainable_variables)
    state = keras_state.read_state(model)
    count = jnp.int32(5)

    monkeypatch.setattr(model, "compute_loss_and_updates", loss_in_cpu_forms(model))

    @jax.jit
    def program(state, x, y, count):
        return run_counted_step(model, state, (x, y, None), count, training=True)

    text = program.lower(state, x, y, count).as_text()
    assert text.count("custom_call @clearcnn_normalize_gradient") == 2
    found = program(state, x, y, count)
    monkeypatch.undo()
    model.train_on_batch(x[:5], y[:5])
    for mine, plain in zip(found[:2], keras_state.read_state(model)[:2], strict=True):
        for one, other in zip(mine, plain, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)
