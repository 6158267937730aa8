"""XLA computes a function behind a fusion barrier once, however many places read its result."""

import jax
import jax.numpy as jnp
import numpy as np

from clearcnn.training.cpu_kernels.fusion_barrier import apart


def read_twice(values, away):
    largest = away(jnp.maximum, values[:, ::2], values[:, 1::2])
    return jnp.concatenate([largest[:-1], largest[1:]]) * 2


def compiled(away):
    text = jax.jit(lambda values: read_twice(values, away)).lower(jnp.ones((8, 8))).compile()
    return text.as_text().split("ENTRY")[1]


def test_the_call_stays():
    assert " call(" in compiled(apart)
    assert " call(" not in compiled(lambda function, *arrays: function(*arrays))


def test_values_gradients_and_batches():
    values = jnp.asarray(np.random.default_rng(0).normal(size=(3, 8, 8)), jnp.float32)

    def total(values):
        return read_twice(values, apart).sum()

    def plain(values):
        return read_twice(values, lambda function, *arrays: function(*arrays)).sum()

    np.testing.assert_allclose(
        jax.vmap(jax.grad(total))(values), jax.vmap(jax.grad(plain))(values), rtol=1e-6
    )
