"""Mean and variance of the first samples of a batch, for batch normalization.

Jitted by name, so that `cpu_kernels` finds it in a traced function and computes it by a kernel.
"""

import math

import jax
import jax.numpy as jnp

from clearcnn.training.jit_by_name import jit_by_name

FIRST_MOMENTS = "clearcnn_first_moments"

Moments = tuple[jax.Array, jax.Array]


def first_moments_plainly(batch: jax.Array, count: jax.Array) -> Moments:
    """Do what `first_moments` does, in plain JAX."""
    axes = tuple(range(batch.ndim - 1))
    total = (count * math.prod(batch.shape[1:-1])).astype(batch.dtype)
    numbers = jnp.arange(len(batch), dtype=jnp.int32)
    counts = (numbers < count).reshape(-1, *[1] * (batch.ndim - 1))
    mean = jnp.sum(jnp.where(counts, batch, 0), axes) / total
    squares = jnp.where(counts, jnp.square(batch - mean), 0)
    return mean, jnp.sum(squares, axes) / total


_jitted = jit_by_name(FIRST_MOMENTS, first_moments_plainly)


def first_moments(batch: jax.Array, count: jax.Array) -> Moments:
    """Return mean and biased variance of each channel.

    Args:
      batch: float (n, …, channels).
      count: int32, the number of samples that count, 1 <= count <= n.
    Returns:
      float (channels,) twice.
    """
    return _jitted(batch, count)
