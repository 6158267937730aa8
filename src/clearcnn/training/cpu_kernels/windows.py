"""Shifted views of an image, one for each position in a window, and their transpose."""

import functools
from collections.abc import Iterable, Iterator

import jax
import jax.numpy as jnp
from jax import lax

from clearcnn.training.cpu_kernels.window_geometry import Geometry, Size


def views(geometry: Geometry, image: jax.Array, filling: float = 0.0) -> Iterator[jax.Array]:
    """Yield (n, output height, output width, channels) for each position, in reading order.

    Args:
      geometry: of the window.
      image: (n, height, width, channels).
      filling: the value of the padding.
    """
    (top, bottom), (left, right) = geometry.padding
    filler = jnp.asarray(filling, image.dtype)
    padded = lax.pad(image, filler, ((0, 0, 0), (top, bottom, 0), (left, right, 0), (0, 0, 0)))
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


def add_views(geometry: Geometry, parts: Iterable[jax.Array], size: Size) -> jax.Array:
    """Add each array to the pixels that its view was read from: the transpose of `views`.

    Args:
      geometry: of the window.
      parts: (n, output height, output width, channels) for each position, in reading order.
      size: (height, width) of the image.
    Returns:
      (n, height, width, channels).
    """
    (top, _), (left, _) = geometry.padding
    (step_y, step_x), (gap_y, gap_x) = geometry.strides, geometry.dilation

    def place(number: int, part: jax.Array) -> jax.Array:
        row, column = divmod(number, geometry.kernel[1])
        y, x = row * gap_y - top, column * gap_x - left
        below = size[0] - y - max(0, (part.shape[1] - 1) * step_y + 1)
        beside = size[1] - x - max(0, (part.shape[2] - 1) * step_x + 1)
        return lax.pad(
            part,
            jnp.zeros((), part.dtype),
            ((0, 0, 0), (y, below, step_y - 1), (x, beside, step_x - 1), (0, 0, 0)),
        )

    return functools.reduce(jnp.add, (place(number, part) for number, part in enumerate(parts)))
