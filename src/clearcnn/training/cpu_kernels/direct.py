"""Convolution by the compiled kernels: nothing is laid out, sums stay in registers.

The kernels are called through `jax.ffi` on XLA's own threads; their sources lie in `native/`. A
convolution and both its gradients are calls of their own, so that XLA leaves out what nobody reads.

Measured by the processor time of whole trainings, in turn with patches and Winograd's tiles (2
cores with AVX-512, which other processes used too): 2.2× for six convolutions of 16 to 64 filters
with normalization and ReLU at 32×32×3, 2.0× with GELU; 2.8×, 2.4× and 2.3× for the default recipe
at 96×96×3, 64×64×1 and 32×32×3, 1.8× for the digits; 1.8× for network in network, 1.4× for three
blocks of 32 to 128 filters, 1.1× for the MNIST convnet, which is Winograd's best case, and 1.06×
for the digits' lesson. Programs are compiled in less time, too.
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

# The shortest vector. With fewer channels, the image's gradient is made one number at a time: 4
# GFLOP/s for 16×16 pixels of 3 channels, where its form with patches makes 20. (A first layer of
# colours needs none; in all else the kernels are ahead of the forms there too, or level.)
LEAST_WIDTH = 4

TARGETS = ("clearcnn_convolve", "clearcnn_image_gradient", "clearcnn_kernel_gradient")


def suits(geometry: Geometry, image: Any, kernel: Any) -> bool:
    """Tell whether the kernels cover a convolution: one group, float32, one device.

    Several devices part a batch among them, which XLA cannot do for calls that it does not know.
    """
    return (
        geometry.groups == 1
        and image.dtype == kernel.dtype == jnp.float32
        and not is_spread()
        and register()
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def convolve(geometry: Geometry, image: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolve (n, height, width, channels) with (height, width, channels, filters)."""
    n, height, width, _ = image.shape
    shape = (n, *geometry.output((height, width)), kernel.shape[-1])
    pixels = (math.prod(shape[:3]), shape[3])
    return _call("clearcnn_convolve", geometry, pixels, image, kernel).reshape(shape)


def _forward(geometry: Geometry, image: jax.Array, kernel: jax.Array) -> Any:
    return convolve(geometry, image, kernel), (image, kernel)


def _backward(geometry: Geometry, residuals: Any, gradient: jax.Array) -> Any:
    image, kernel = residuals
    pixels = gradient.reshape(-1, gradient.shape[-1])
    _, height, width, channels = image.shape
    if channels < LEAST_WIDTH:
        image_gradient = im2col.image_gradient(geometry, kernel, gradient, (height, width))
    else:
        image_gradient = _call("clearcnn_image_gradient", geometry, image.shape, pixels, kernel)
    return (
        image_gradient,
        _call("clearcnn_kernel_gradient", geometry, kernel.shape, image, pixels),
    )


convolve.defvjp(_forward, _backward)


# The output is (pixels, filters) there, and so is its gradient: XLA's loops that make and read it
# are then twice as fast for small images as over four axes.
def _call(target: str, geometry: Geometry, shape: Any, *arrays: jax.Array) -> jax.Array:
    call = jax.ffi.ffi_call(
        target, jax.ShapeDtypeStruct(shape, jnp.float32), vmap_method="sequential"
    )
    result: jax.Array = call(
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
