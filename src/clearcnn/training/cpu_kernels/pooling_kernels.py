"""Max and sum pooling by compiled kernels: any window of fewer than 128 pixels, stride and padding.

Ties go to the first of the largest in reading order, as in the plain primitive.

Measured on 2 cores with AVX-512, together with `batch_norm`: training is 1.25 times as fast for
network in network at 28×28×1, whose windows overlap.
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from clearcnn.training.cpu_kernels.window_geometry import Geometry, Size


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def max_pool(window: Geometry, image: jax.Array) -> jax.Array:
    """Take the largest element of each window of float32 (n, height, width, channels)."""
    return _max_pool(window, image)[0]


def _max_pool(window: Geometry, image: jax.Array) -> tuple[jax.Array, jax.Array]:
    shape = _pooled_shape(window, image)
    results = (jax.ShapeDtypeStruct(shape, jnp.float32), jax.ShapeDtypeStruct(shape, jnp.int8))
    largest, places = _call("clearcnn_max_pool", window, results, image)
    return largest, places


def _max_forward(window: Geometry, image: jax.Array) -> tuple[jax.Array, tuple[jax.Array, Size]]:
    largest, places = _max_pool(window, image)
    _, height, width, _ = image.shape
    return largest, (places, (height, width))


def _max_backward(
    window: Geometry, residuals: tuple[jax.Array, Size], gradient: jax.Array
) -> tuple[jax.Array]:
    places, size = residuals
    return (spread(window, size, gradient, places),)


def spread(window: Geometry, size: Size, gradient: jax.Array, places: jax.Array) -> jax.Array:
    """Send each gradient to the tap of its window that was taken, in images of (height, width)."""
    result = _image_like(gradient, size)
    image: jax.Array = _call("clearcnn_max_pool_gradient", window, result, gradient, places)
    return image


max_pool.defvjp(_max_forward, _max_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def sum_pool(window: Geometry, image: jax.Array) -> jax.Array:
    """Add up each window of float32 (n, height, width, channels)."""
    result = jax.ShapeDtypeStruct(_pooled_shape(window, image), jnp.float32)
    pooled: jax.Array = _call("clearcnn_sum_pool", window, result, image)
    return pooled


def _sum_forward(window: Geometry, image: jax.Array) -> tuple[jax.Array, Size]:
    _, height, width, _ = image.shape
    return sum_pool(window, image), (height, width)


def _sum_backward(window: Geometry, size: Size, gradient: jax.Array) -> tuple[jax.Array]:
    return (_call("clearcnn_sum_pool_gradient", window, _image_like(gradient, size), gradient),)


sum_pool.defvjp(_sum_forward, _sum_backward)


def _pooled_shape(window: Geometry, image: jax.Array) -> tuple[int, ...]:
    n, height, width, channels = image.shape
    return (n, *window.output((height, width)), channels)


def _image_like(gradient: jax.Array, size: Size) -> jax.ShapeDtypeStruct:
    n, _, _, channels = gradient.shape
    return jax.ShapeDtypeStruct((n, *size, channels), jnp.float32)


def _call(target: str, window: Geometry, results: Any, *arrays: jax.Array) -> Any:
    call: Any = jax.ffi.ffi_call(target, results, vmap_method="sequential")
    return call(
        *arrays,
        window=np.array(window.kernel, np.int64),
        strides=np.array(window.strides, np.int64),
        padding=np.array(window.padding, np.int64).reshape(4),
    )
