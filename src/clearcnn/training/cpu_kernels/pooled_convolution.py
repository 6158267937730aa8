"""Convolution, bias, ReLU and max pooling in one pass, by compiled kernels.

What the convolution gives is pooled image by image while it is in the cache, and backward the
gradient is spread there, for the gradients of kernel and image alike: nothing of the size of the
convolved images is ever in memory. The places of the largest numbers tell ReLU's slope as well.

Measured on 2 cores with AVX-512, steps of `fit` in turn with separate kernels and XLA's bias and
ReLU on the pooled images, in two noisy runs each: the MNIST convnet (batch 128) 1.11 and 1.19 times
as fast by the median, 1.16 twice by the fastest; three blocks of 32, 64 and 128 filters at 32×32×3
1.02 and 1.05 by the median, 1.07 and 1.10 by the fastest. In one run, two blocks at 48×48×1 1.12
and 1.34, and the 8×8 digits 0.99 and 0.97.

Tried and left: bands of half, a quarter and twice as many images (slower by 2 to 8 % in one run),
and no micro-batches at 32×32×3 (no faster).
"""

import functools
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np

from clearcnn.training.cpu_kernels import direct, im2col, pooling_kernels
from clearcnn.training.cpu_kernels.window_geometry import Geometry

# The image, the kernel, and which tap of each window was taken.
_Residuals: TypeAlias = tuple[jax.Array, jax.Array, jax.Array]


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def convolve(
    geometry: Geometry,
    window: Geometry,
    relu: bool,
    image: jax.Array,
    kernel: jax.Array,
    bias: jax.Array,
) -> jax.Array:
    """Convolve, add a bias, apply ReLU, and take the largest of each window.

    Args:
      geometry: of the convolution, of one group.
      window: of the pooling.
      relu: whether there is ReLU.
      image: float32 (n, height, width, channels).
      kernel: float32 (kernel height, kernel width, channels, filters).
      bias: float32 (filters,).
    Returns:
      float32 (n, pooled height, pooled width, filters).
    """
    pooled, _ = _forward(geometry, window, relu, image, kernel, bias)
    return pooled


def _forward(
    geometry: Geometry,
    window: Geometry,
    relu: bool,
    image: jax.Array,
    kernel: jax.Array,
    bias: jax.Array,
) -> tuple[jax.Array, _Residuals]:
    n, height, width, _ = image.shape
    shape = (n, *window.output(geometry.output((height, width))), kernel.shape[-1])
    results = (jax.ShapeDtypeStruct(shape, jnp.float32), jax.ShapeDtypeStruct(shape, jnp.int8))
    pooled, places = _call(
        "clearcnn_convolve_pooled", geometry, window, relu, results, image, kernel, bias
    )
    return pooled, (image, kernel, places)


def _backward(
    geometry: Geometry, window: Geometry, relu: bool, residuals: _Residuals, gradient: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    image, kernel, places = residuals
    settings = geometry, window, relu
    if image.shape[-1] < direct.LEAST_WIDTH:
        _, height, width, _ = image.shape
        output = geometry.output((height, width))
        spread = pooling_kernels.spread(window, output, gradient, places)
        image_gradient = im2col.image_gradient(geometry, kernel, spread, (height, width))
    else:
        image_gradient = _call(
            "clearcnn_pooled_image_gradient", *settings, _like(image), gradient, places, kernel
        )
    results = (_like(kernel), jax.ShapeDtypeStruct(kernel.shape[-1:], jnp.float32))
    return (
        image_gradient,
        *_call("clearcnn_pooled_kernel_gradient", *settings, results, image, gradient, places),
    )


convolve.defvjp(_forward, _backward)


def _like(array: jax.Array) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(array.shape, jnp.float32)


def _call(
    target: str, geometry: Geometry, window: Geometry, relu: bool, results: Any, *arrays: jax.Array
) -> Any:
    call: Any = jax.ffi.ffi_call(target, results, vmap_method="sequential")
    return call(
        *arrays,
        strides=np.array(geometry.strides, np.int64),
        dilation=np.array(geometry.dilation, np.int64),
        padding=np.array(geometry.padding, np.int64).reshape(4),
        window=np.array(window.kernel, np.int64),
        pool_strides=np.array(window.strides, np.int64),
        pool_padding=np.array(window.padding, np.int64).reshape(4),
        relu=np.bool_(relu),
    )
