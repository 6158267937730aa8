"""Convolution as one matrix product over patches (im2col).

The shifted views of the image are laid side by side and multiplied by the kernel at once.
Backward, the kernel's gradient is patchesᵀ·g, and the image's is g·Wᵀ with each tap added back
where it came from (col2im): matrix products again.
"""

import functools
import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp
from jax import lax

from clearcnn.training.forms.geometry import Geometry, Size


def laid_size(geometry: Geometry, output: Size, channels: int, filters: int) -> int:
    """Give how many numbers are laid out for an output of (height, width)."""
    del filters
    return math.prod(output) * math.prod(geometry.kernel) * channels


def lay(geometry: Geometry, image: jax.Array) -> jax.Array:
    """Lay the shifted views side by side: (n, output height, output width, taps · channels)."""
    return jnp.concatenate(list(views(geometry, image)), axis=-1)


def multiply(geometry: Geometry, patches: jax.Array, kernel: jax.Array, image: Size) -> jax.Array:
    """Multiply what `lay` made: (n, output height, output width, filters)."""
    del geometry, image
    return jnp.tensordot(patches, kernel.reshape(-1, kernel.shape[-1]), [[3], [0]])


def differentiate(
    geometry: Geometry, patches: jax.Array, kernel: jax.Array, gradient: jax.Array, image: Size
) -> tuple[jax.Array, jax.Array]:
    """Give the gradients of image and kernel from that of the output."""
    filters = kernel.shape[-1]
    rows = gradient.reshape(-1, filters)
    taps = jnp.tensordot(gradient, kernel.reshape(-1, filters), [[3], [1]])
    columns = patches.reshape(-1, patches.shape[-1])
    # The longer side of the result in its rows: 1.05 to 1.45 times as fast.
    wide = columns.shape[1] > filters
    kernel_gradient = (rows.T @ columns).T if wide else columns.T @ rows
    return _scatter(geometry, taps, *image), kernel_gradient.reshape(kernel.shape)


def views(geometry: Geometry, image: jax.Array) -> Iterator[jax.Array]:
    """Give what each tap of the kernel sees: (n, output height, output width, channels) each."""
    (top, bottom), (left, right) = geometry.padding
    zero = jnp.zeros((), image.dtype)
    padded = lax.pad(image, zero, ((0, 0, 0), (top, bottom, 0), (left, right, 0), (0, 0, 0)))
    n, height, width, channels = padded.shape
    (step_y, step_x), (gap_y, gap_x) = geometry.strides, geometry.dilation
    span_y = height - (geometry.kernel[0] - 1) * gap_y
    span_x = width - (geometry.kernel[1] - 1) * gap_x
    for y in range(0, geometry.kernel[0] * gap_y, gap_y):
        for x in range(0, geometry.kernel[1] * gap_x, gap_x):
            yield lax.slice(
                padded,
                (0, y, x, 0),
                (n, y + span_y, x + span_x, channels),
                (1, step_y, step_x, 1),
            )


def _scatter(geometry: Geometry, taps: jax.Array, height: int, width: int) -> jax.Array:
    """Add each tap's gradient back to the pixels it was read from: the transpose of `lay`."""
    channels = taps.shape[-1] // (geometry.kernel[0] * geometry.kernel[1])
    (top, _), (left, _) = geometry.padding
    (step_y, step_x), (gap_y, gap_x) = geometry.strides, geometry.dilation
    spread_y, spread_x = (taps.shape[1] - 1) * step_y + 1, (taps.shape[2] - 1) * step_x + 1
    zero = jnp.zeros((), taps.dtype)
    parts = []
    for i in range(geometry.kernel[0]):
        for j in range(geometry.kernel[1]):
            start = (i * geometry.kernel[1] + j) * channels
            tap = lax.slice_in_dim(taps, start, start + channels, axis=3)
            y, x = i * gap_y - top, j * gap_x - left
            part = lax.pad(
                tap,
                zero,
                (
                    (0, 0, 0),
                    (y, height - y - spread_y, step_y - 1),
                    (x, width - x - spread_x, step_x - 1),
                    (0, 0, 0),
                ),
            )
            parts.append(part)
    return functools.reduce(jnp.add, parts)
