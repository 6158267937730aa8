"""Statistics of the first samples are NumPy's, by the kernel and without it; others go unread."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from clearcnn.kernel_library import describe_kernels, open_library
from clearcnn.training.cpu_kernels import direct, masked_batch_norm, rewrite
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
    for form in (first_moments_plainly, masked_batch_norm.first_moments):
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
    for form in (first_moments_plainly, masked_batch_norm.first_moments):
        found = jax.grad(lambda batch, f=form: loss(f, batch, jnp.int32(count)))(batch)
        np.testing.assert_allclose(found[:count], wanted, atol=1e-6)
        assert not np.any(found[count:])


def test_the_count_is_an_input_and_the_kernel_is_called():
    batch = normal(6, 3, 3, 8)
    rewritten = jax.jit(rewrite(first_moments))
    text = rewritten.lower(batch, jnp.int32(2)).as_text()
    assert "custom_call @clearcnn_first_moments" in text
    for count in (1, 4, 6):
        mean, variance = rewritten(batch, jnp.int32(count))
        np.testing.assert_allclose(mean, batch[:count].mean((0, 1, 2)), atol=1e-5)
        np.testing.assert_allclose(variance, batch[:count].var((0, 1, 2)), atol=1e-5)
    assert rewritten._cache_size() == 1


@pytest.mark.parametrize("count", [0, -1, 7])
def test_a_count_beyond_the_batch_is_an_error_and_reads_nothing(count):
    with pytest.raises(jax.errors.JaxRuntimeError, match="do not belong together"):
        jax.block_until_ready(masked_batch_norm.first_moments(normal(6, 8), jnp.int32(count)))
