"""Random bits of the unrolled kernel are JAX's own, and other generators are not replaced."""

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clearcnn.training.cpu_kernels import rewrite

import keras  # isort: skip


def is_left(function, *args):
    return "random_bits" in str(jax.make_jaxpr(rewrite(function))(*args))


@settings(max_examples=20, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.lists(st.integers(1, 7), max_size=4).map(tuple),
)
def test_bits(seed, shape):
    def draw(key):
        return jax.random.bits(key, shape)

    key = jax.random.key(seed)
    np.testing.assert_array_equal(rewrite(draw)(key), draw(key))
    assert not is_left(draw, key)


def test_dropout_of_keras_draws_the_same():
    def drop(seed, values):
        return keras.random.dropout(values, 0.4, seed=seed)

    seed, values = jax.random.key_data(jax.random.key(5)), np.ones((6, 50), "float32")
    np.testing.assert_array_equal(rewrite(drop)(seed, values), drop(seed, values))
    assert not is_left(drop, seed, values)


def test_many_at_once():
    def draw(key):
        return jax.random.uniform(key, (5, 2))

    keys = jax.random.split(jax.random.key(1), 3)
    np.testing.assert_array_equal(jax.vmap(rewrite(draw))(keys), jax.vmap(draw)(keys))


@pytest.mark.parametrize(
    ("key", "dtype"),
    [
        (jax.random.key(0, impl="rbg"), "uint32"),
        (jax.random.key(0), "uint8"),
        (jax.random.split(jax.random.key(0), 2), "uint32"),
    ],
    ids=["another generator", "another width", "many keys"],
)
def test_others_are_left_to_jax(key, dtype):
    def draw(key):
        one = lambda key: jax.random.bits(key, (3,), dtype)  # noqa: E731
        return one(key) if key.shape == () else jax.vmap(one)(key)

    np.testing.assert_array_equal(rewrite(draw)(key), draw(key))
    assert is_left(draw, key)


def test_the_older_way_of_counting_is_left_to_jax():
    def draw(key):
        return jax.random.bits(key, (3, 5))

    with jax.threefry_partitionable(False):
        key = jax.random.key(2)
        np.testing.assert_array_equal(rewrite(draw)(key), draw(key))
        assert is_left(draw, key)
