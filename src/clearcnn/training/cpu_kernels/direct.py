"""Convolution by compiled kernels: no im2col, sums stay in registers.

The kernels are called through `jax.ffi` on XLA's own threads; their sources are in `native/`. A
convolution and its two gradients are separate calls, so that XLA drops those that nobody reads.

Measured against im2col and Winograd, in turn in one process, medians of five fits on two idle cores
with AVX-512: 2.5 times as fast for six convolutions of 16 to 64 filters with batch normalization
and ReLU at 32×32×3, 1.3 for the MNIST convnet (Winograd's best case), 1.1 for the digits' tutorial;
compiled in 3.2, 0.4 and 1.1 s instead of 12.6, 1.0 and 1.5. By processor time on busy cores: 2.1
with GELU; 2.8, 2.4 and 2.3 for the default recipe at 96×96×3, 64×64×1 and 32×32×3, 1.8 for the
digits; 1.8 for network in network, 1.4 for three blocks of 32 to 128 filters.

Groups, forward and both gradients of 128 images of 16×16×64: 9.6, 8.4 and 7.6 times as fast as the
sum over taps that XLA compiles, for 4, 8 and 16 groups.

The kernel gradient walks over 512 KiB before it puts its sums away: by processor time, all of the
recipe for pictures at 32×32×3 take 22.1 ms a batch of 125, 22.3 with 256 KiB, 24.0 with 128 KiB;
5×5 taps at 14×14 pixels, 64 channels and filters, 27, 31 and 39 ms.
Tried and left, each by processor time of that gradient: blocks of 12 rows and 2 vectors instead of
6 and 4 (2 to 3 % slower), prefetching four pixels ahead (0 to 7 % slower), and sums that begin at a
cache line (a tenth slower for 8×8 and 4×4 pixels).
"""

import functools
import math
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from clearcnn.kernel_library import open_library
from clearcnn.training.cpu_kernels import im2col
from clearcnn.training.cpu_kernels.window_geometry import Geometry
from clearcnn.training.devices import is_spread

# The shortest vector, and the fewest channels and filters of a group. With fewer channels, the
# kernel computes the image gradient one value at a time: 4 GFLOP/s for 16×16 pixels of 3 channels,
# where im2col reaches 20. (The first layer of a network needs no image gradient.)
LEAST_WIDTH = 4

TARGETS = (
    "clearcnn_convolve",
    "clearcnn_image_gradient",
    "clearcnn_kernel_gradient",
    "clearcnn_convolve_pooled",
    "clearcnn_pooled_image_gradient",
    "clearcnn_pooled_kernel_gradient",
    "clearcnn_moments",
    "clearcnn_gradient_sums",
    "clearcnn_normalize",
    "clearcnn_normalize_gradient",
    "clearcnn_max_pool",
    "clearcnn_max_pool_gradient",
    "clearcnn_sum_pool",
    "clearcnn_sum_pool_gradient",
    "clearcnn_warp",
    "clearcnn_depthwise",
    "clearcnn_depthwise_image_gradient",
    "clearcnn_depthwise_kernel_gradient",
)


def are_on() -> bool:
    """Whether there are kernels to call: built for this processor, and one device.

    Several devices split a batch, which XLA cannot do for custom calls.
    """
    return not is_spread() and register()


def suits(geometry: Geometry, image: Any, kernel: Any) -> bool:
    """Whether the kernels cover a convolution: float32, and one group or wide ones."""
    wide = geometry.groups == 1 or (
        kernel.shape[2] >= LEAST_WIDTH and kernel.shape[3] // geometry.groups >= LEAST_WIDTH
    )
    return wide and image.dtype == kernel.dtype == jnp.float32 and are_on()


def convolve(geometry: Geometry, image: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolve (n, height, width, channels) with (height, width, channels / groups, filters)."""
    if geometry.groups == 1:
        return _convolve(geometry, image, kernel)
    # The compiled kernels read the groups one after the other.
    height, width, channels, _ = kernel.shape
    apart = kernel.reshape(height, width, channels, geometry.groups, -1).transpose(3, 0, 1, 2, 4)
    return _convolve(geometry, image, apart.reshape(-1, width, channels, apart.shape[-1]))


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _convolve(geometry: Geometry, image: jax.Array, kernel: jax.Array) -> jax.Array:
    n, height, width, _ = image.shape
    shape = (n, *geometry.output((height, width)), kernel.shape[-1] * geometry.groups)
    pixels = (math.prod(shape[:3]), shape[3])
    return call("clearcnn_convolve", geometry, pixels, image, kernel).reshape(shape)


def _forward(geometry: Geometry, image: jax.Array, kernel: jax.Array) -> Any:
    return _convolve(geometry, image, kernel), (image, kernel)


def _backward(geometry: Geometry, residuals: Any, gradient: jax.Array) -> Any:
    image, kernel = residuals
    pixels = gradient.reshape(-1, gradient.shape[-1])
    _, height, width, channels = image.shape
    if channels < LEAST_WIDTH:
        image_gradient = im2col.image_gradient(geometry, kernel, gradient, (height, width))
    else:
        image_gradient = call("clearcnn_image_gradient", geometry, image.shape, pixels, kernel)
    return (
        image_gradient,
        call("clearcnn_kernel_gradient", geometry, kernel.shape, image, pixels),
    )


_convolve.defvjp(_forward, _backward)


# The output is (pixels, filters) there, and so is its gradient: XLA's loops that make and read it
# are then twice as fast for small images as over four axes.
def call(target: str, geometry: Geometry, shape: Any, *arrays: jax.Array) -> jax.Array:
    """Call a kernel of a convolution on XLA's threads; its result has this shape."""
    kernel_call = jax.ffi.ffi_call(
        target, jax.ShapeDtypeStruct(shape, jnp.float32), vmap_method="sequential"
    )
    result: jax.Array = kernel_call(
        *arrays,
        strides=np.array(geometry.strides, np.int64),
        dilation=np.array(geometry.dilation, np.int64),
        padding=np.array(geometry.padding, np.int64).reshape(4),
    )
    return result


@functools.cache
def register() -> bool:
    """Make the kernels known to XLA, once in a process; False where there are none."""
    library = open_library()
    if library is None:
        return False
    for target in TARGETS:
        jax.ffi.register_ffi_target(
            target, jax.ffi.pycapsule(getattr(library, target)), platform="cpu"
        )
    return True
