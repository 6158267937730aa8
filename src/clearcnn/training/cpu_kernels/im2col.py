"""Convolution as one matrix product over patches (im2col).

The shifted views of the image are laid side by side and multiplied by the kernel at once.
Backward, the kernel's gradient is patchesᵀ·g, and the image's is g·Wᵀ with each tap added back
where it came from (col2im): matrix products again.
"""

import math

import jax
import jax.numpy as jnp

from clearcnn.training.cpu_kernels.window_geometry import Geometry, Size
from clearcnn.training.cpu_kernels.windows import add_views, views


def laid_size(geometry: Geometry, output: Size, channels: int, filters: int) -> int:
    """Give how many numbers are laid out for an output of (height, width)."""
    del filters
    return math.prod(output) * math.prod(geometry.kernel) * channels


def lay(geometry: Geometry, image: jax.Array) -> jax.Array:
    """Lay the shifted views side by side: (n, output height, output width, taps · channels)."""
    return jnp.concatenate(list(views(geometry, image)), axis=-1)


def multiply(
    geometry: Geometry, patches: jax.Array, kernel: jax.Array, image: Size
) -> tuple[jax.Array, None]:
    """Multiply what `lay` made: (n, output height, output width, filters), and nothing to keep."""
    del geometry, image
    return jnp.tensordot(patches, kernel.reshape(-1, kernel.shape[-1]), [[3], [0]]), None


def differentiate(
    geometry: Geometry,
    patches: jax.Array,
    kernel: jax.Array,
    kept: None,
    gradient: jax.Array,
    image: Size,
) -> tuple[jax.Array, jax.Array]:
    """Give the gradients of image and kernel from that of the output."""
    del kept
    filters = kernel.shape[-1]
    rows = gradient.reshape(-1, filters)
    columns = patches.reshape(-1, patches.shape[-1])
    # The longer side of the result in its rows: 1.05 to 1.45 times as fast.
    wide = columns.shape[1] > filters
    kernel_gradient = (rows.T @ columns).T if wide else columns.T @ rows
    return (
        image_gradient(geometry, kernel, gradient, image),
        kernel_gradient.reshape(kernel.shape),
    )


def image_gradient(
    geometry: Geometry, kernel: jax.Array, gradient: jax.Array, image: Size
) -> jax.Array:
    """Give the gradient of the image alone, which needs no patches."""
    taps = jnp.tensordot(gradient, kernel.reshape(-1, kernel.shape[-1]), [[3], [1]])
    parts = jnp.split(taps, math.prod(geometry.kernel), axis=3)
    return add_views(geometry, parts, image)
