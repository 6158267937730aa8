"""Batch normalization with each sum over the batch in one pass, by compiled kernels.

XLA reads an image three times for its mean and variance, and writes products to memory before it
sums them for the gradients of scale and shift. `moments` and `scale_shift` leave everything that is
elementwise to XLA, which fuses it, and call a kernel for each pair of sums.

Measured in turn in one process, together with the kernels of pooling, medians of seven pairs on 2
cores with AVX-512: training is 1.14 times as fast for six convolutions of 16 to 64 filters at
32×32×3 with ReLU, 1.09 times with GELU, 1.12 times for three of 32 to 128 filters.
"""

import functools
import math
from typing import Any, Literal, TypeAlias

import jax
import jax.numpy as jnp

from clearcnn.training.cpu_kernels import gelu

Activation: TypeAlias = Literal["linear", "relu", "gelu"]
Pair: TypeAlias = tuple[jax.Array, jax.Array]

_CHANNELS = (1, 1, 1, -1)


@jax.custom_vjp
def moments(image: jax.Array) -> Pair:
    """Return the sum of each channel, and its biased variance.

    Args:
      image: float32 (n, height, width, channels), not empty.
    Returns:
      float32 (channels,) twice.
    """
    return _call_sums("clearcnn_moments", image)


def _moments_forward(image: jax.Array) -> Any:
    total, variance = moments(image)
    return (total, variance), (image, total)


def _moments_backward(residuals: Any, gradient: Pair) -> tuple[jax.Array]:
    image, total = residuals
    count = math.prod(image.shape[:3])
    slope = gradient[1] * (2 / count)
    constant = gradient[0] - slope * (total / count)
    return (image * slope.reshape(_CHANNELS) + constant.reshape(_CHANNELS),)


moments.defvjp(_moments_forward, _moments_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def scale_shift(
    activation: Activation, image: jax.Array, scale: jax.Array, shift: jax.Array
) -> jax.Array:
    """Return image · scale + shift, put through an activation.

    Args:
      activation: "linear" for none.
      image: float32 (n, height, width, channels).
      scale, shift: float32 (1, 1, 1, channels).
    """
    value = image * scale + shift
    if activation == "relu":
        return jnp.maximum(value, 0)
    return gelu.gelu(value) if activation == "gelu" else value


def _scale_shift_forward(activation: Activation, *arrays: jax.Array) -> Any:
    return scale_shift(activation, *arrays), arrays


def _scale_shift_backward(activation: Activation, residuals: Any, gradient: jax.Array) -> Any:
    image, scale, shift = residuals
    if activation == "gelu":
        gradient = gradient * gelu.slope(image * scale + shift)
    relu = activation == "relu"
    total, products = _call_sums(
        "clearcnn_gradient_sums", image, gradient, scale.ravel(), shift.ravel(), relu=relu
    )
    if relu:
        gradient = jnp.where(image * scale + shift > 0, gradient, 0)
    return gradient * scale, products.reshape(scale.shape), total.reshape(shift.shape)


scale_shift.defvjp(_scale_shift_forward, _scale_shift_backward)


def _call_sums(target: str, *arrays: jax.Array, **attributes: bool) -> Pair:
    channels = arrays[0].shape[-1]
    result = jax.ShapeDtypeStruct((channels,), jnp.float32)
    call = jax.ffi.ffi_call(target, (result, result), vmap_method="sequential")
    flat = (a.reshape(-1, channels) if a.ndim == 4 else a for a in arrays)
    total, second = call(*flat, **attributes)
    return total, second
