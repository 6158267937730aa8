"""Batch normalization, its activation and the pooling behind it, by compiled kernels.

XLA reads an image three times for its mean and variance, and writes products to memory before it
sums them for the gradients of scale and shift. Here each step is one pass: `moments` for both sums,
`normalize` for scale, shift, activation and pooling; backward one over the pooled image for the
sums of the gradients, and one for the image's gradient.

Instead of the position of each window's largest number, that number of the image is kept: it gives
back the position, and the sums of the gradients need it.

A batch may be longer than the samples that count: its statistics are those of the first `count`,
and the gradient of the others is zero. `count` is an array, so that one program serves all batches.

Measured on 2 cores with AVX-512 against XLA's loops between kernels for sums and pooling: six
convolutions of 16 to 64 filters at 32×32×3, batch 250, train 1.25 times as fast with GELU, 1.16
times with its approximation, 1.08 times with ReLU; the recipe for pictures at 32×32×3 1.22 times,
together with larger parts in `native/convolution.cpp`.

GELU and its slope are a ratio of two polynomials each, instead of an exponential and a division:
the normalizations of the recipe for pictures at 32×32×3, batch 125, take 1.8 instead of 2.5 ms of
processor time forward, and 3.0 instead of 3.7 backward. With larger bands for the gradients of
kernels (`direct.py`), training is 1.05 times as fast there and at 64×64×1. Tried and left: the
ratio by Newton's reciprocal instead of a division (2.0 and 3.2 ms).
"""

import functools
import math
from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from clearcnn.training.cpu_kernels.window_geometry import Size

Activation: TypeAlias = Literal["linear", "relu", "gelu", "tanh_gelu"]
Pair: TypeAlias = tuple[jax.Array, jax.Array]

Prepare: TypeAlias = Callable[..., Pair]
"""(mean, variance, other arrays …) → (scale, shift), each of one number per channel."""

# As in native/tiles.h.
_NUMBERS: dict[Activation, int] = {"linear": 0, "relu": 1, "gelu": 2, "tanh_gelu": 3}


@jax.custom_vjp
def moments(batch: jax.Array, count: jax.Array) -> Pair:
    """Return the mean of each channel, and its biased variance.

    Args:
      batch: float32 (n, …, channels), not empty.
      count: int32, the number of samples that count, 1 <= count <= n. The others are not read.
    Returns:
      float32 (channels,) twice.
    """
    return _call_pair("clearcnn_moments", _rows(batch), _count_rows(batch, count))


def _moments_forward(batch: jax.Array, count: jax.Array) -> Any:
    mean, variance = moments(batch, count)
    return (mean, variance), (batch, count, mean)


def _moments_backward(residuals: Any, gradient: Pair) -> tuple[jax.Array, None]:
    batch, count, mean = residuals
    slope, constant = _moments_gradient(batch, count, mean, *gradient)
    numbers = jnp.arange(len(batch), dtype=jnp.int32)
    counts = (numbers < count).reshape(-1, *[1] * (batch.ndim - 1))
    return jnp.where(counts, batch * slope + constant, 0), None


def _moments_gradient(
    batch: jax.Array, count: jax.Array, mean: jax.Array, *gradient: jax.Array
) -> Pair:
    """Return slope and constant: the gradient of the batch is batch · slope + constant."""
    rows = _count_rows(batch, count).astype(jnp.float32)
    slope = gradient[1] * (2 / rows)
    return slope, gradient[0] / rows - slope * mean


moments.defvjp(_moments_forward, _moments_backward)


def normalize(
    prepare: Prepare,
    activation: Activation,
    window: Size,
    image: jax.Array,
    count: jax.Array,
    statistics: Pair,
    others: list[jax.Array],
) -> jax.Array:
    """Return the largest of activation(image · scale + shift) in each window.

    Args:
      prepare: gives scale and shift.
      activation: "linear" for none.
      window: (height, width) of windows that do not overlap; (1, 1) for no pooling.
      image: float32 (n, height, width, channels), not empty.
      count: as for `moments`. The images after the first `count` are normalized as well; their
        gradient is zero.
      statistics: what `moments` returns for the image and the count.
      others: further arguments of `prepare`.
    """
    # The gradient of the statistics is in that of the image.
    mean, variance = map(lax.stop_gradient, statistics)
    return _normalize(prepare, activation, window, image, count, mean, variance, *others)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def _normalize(
    prepare: Prepare,
    activation: Activation,
    window: Size,
    image: jax.Array,
    count: jax.Array,  # noqa: ARG001
    *arrays: jax.Array,
) -> jax.Array:
    return _apply(activation, window, image, *prepare(*arrays))[0]


def _forward(
    prepare: Prepare,
    activation: Activation,
    window: Size,
    image: jax.Array,
    count: jax.Array,
    *arrays: jax.Array,
) -> Any:
    (scale, shift), pull_back = jax.vjp(prepare, *arrays)
    output, taken = _apply(activation, window, image, scale, shift)
    taken = image if window == (1, 1) else taken
    return output, (image, count, taken, scale, shift, arrays[0], pull_back)


def _backward(
    prepare: Prepare, activation: Activation, window: Size, residuals: Any, gradient: jax.Array
) -> tuple[jax.Array | None, ...]:
    del prepare
    image, count, taken, scale, shift, mean, pull_back = residuals
    number = np.int32(_NUMBERS[activation])
    flat = scale.ravel(), shift.ravel()
    shift_sum, scale_sum = _call_pair(
        "clearcnn_gradient_sums",
        _rows(taken),
        _rows(gradient),
        _count_rows(taken, count),
        *flat,
        activation=number,
    )
    of_mean, of_variance, *of_others = pull_back(
        (scale_sum.reshape(scale.shape), shift_sum.reshape(shift.shape))
    )
    slope, constant = _moments_gradient(image, count, mean, of_mean, of_variance)
    call = jax.ffi.ffi_call(
        "clearcnn_normalize_gradient",
        jax.ShapeDtypeStruct(image.shape, jnp.float32),
        vmap_method="sequential",
    )
    result: jax.Array = call(
        image,
        taken,
        gradient,
        count,
        *flat,
        slope,
        constant,
        window=np.array(window, np.int64),
        activation=number,
    )
    return result, None, jnp.zeros_like(of_mean), jnp.zeros_like(of_variance), *of_others


_normalize.defvjp(_forward, _backward)


def _apply(
    activation: Activation, window: Size, image: jax.Array, scale: jax.Array, shift: jax.Array
) -> Pair:
    """Return the pooled image, and the number of the image that was taken for each of its own."""
    n, height, width, channels = image.shape
    shape = (n, height // window[0], width // window[1], channels)
    kept = (0,) if window == (1, 1) else shape
    results = [jax.ShapeDtypeStruct(size, jnp.float32) for size in (shape, kept)]
    call = jax.ffi.ffi_call("clearcnn_normalize", results, vmap_method="sequential")
    output, taken = call(
        image,
        scale.ravel(),
        shift.ravel(),
        window=np.array(window, np.int64),
        activation=np.int32(_NUMBERS[activation]),
    )
    return output, taken


def _rows(batch: jax.Array) -> jax.Array:
    return batch.reshape(-1, batch.shape[-1])


def _count_rows(batch: jax.Array, count: jax.Array) -> jax.Array:
    return count * np.int32(math.prod(batch.shape[1:-1]))


def _call_pair(target: str, *arrays: jax.Array, **attributes: np.int32) -> Pair:
    result = jax.ShapeDtypeStruct((arrays[0].shape[-1],), jnp.float32)
    call = jax.ffi.ffi_call(target, (result, result), vmap_method="sequential")
    total, second = call(*arrays, **attributes)
    return total, second
