"""What augmentation does to images: an affine change, and a change of contrast and brightness.

Both are jitted by name, so that `cpu_kernels` finds them in a traced function and computes them
together, by a kernel.
"""

import jax
from keras import ops

from clearcnn.training.jit_by_name import jit_by_name

WARP_AND_FILL, WARP_AND_REPEAT, LIGHT = "clearcnn_warp_and_fill", "clearcnn_warp", "clearcnn_light"


def warp(images: jax.Array, matrices: jax.Array, fill_value: float | None = None) -> jax.Array:
    """Sample each image at affinely transformed positions, bilinearly.

    Args:
      images: float (n, height, width, channels), height and width >= 2.
      matrices: float (n, 6): (yy, yx, y0, xy, xx, x0); the output pixel (y, x) is read at
        (yy·y + yx·x + y0, xy·y + xx·x + x0) of the input, in pixels.
      fill_value: the value outside an image; None repeats its edge.
    Returns:
      float (n, height, width, channels).
    """
    if fill_value is None:
        return _warp_and_repeat(images, matrices)
    return _warp_and_fill(images, matrices, fill_value)


def light(images: jax.Array, lights: jax.Array) -> jax.Array:
    """Change each image's contrast about its mean, and its brightness.

    Args:
      images: float (n, height, width, channels).
      lights: float (n, 2): the factor of the distances from the mean, and what is added.
    Returns:
      float (n, height, width, channels).
    """
    return _light(images, lights)


def warp_and_repeat(images: jax.Array, matrices: jax.Array) -> jax.Array:
    """Warp in plain JAX; outside an image is its edge."""
    return _sample(images, *_locate(images, matrices))


def warp_and_fill(images: jax.Array, matrices: jax.Array, fill_value: jax.Array) -> jax.Array:
    """Warp in plain JAX; outside an image is `fill_value`."""
    # A border of one pixel is enough, since positions are clipped to it.
    around = [[0, 0], [1, 1], [1, 1], [0, 0]]
    framed = ops.pad(images, around, constant_values=fill_value)
    from_y, from_x = _locate(images, matrices)
    _, height, width, _ = images.shape
    return _sample(framed, from_y + 1, from_x + 1, (height, width))


def _locate(images: jax.Array, matrices: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Return the rows and the columns that are read, (n, height · width) each."""
    _, height, width, _ = images.shape
    y, x = ops.meshgrid(ops.arange(height), ops.arange(width), indexing="ij")
    y = ops.cast(ops.reshape(y, (1, -1)), images.dtype)
    x = ops.cast(ops.reshape(x, (1, -1)), images.dtype)
    yy, yx, y0, xy, xx, x0 = (matrices[:, i : i + 1] for i in range(6))
    return yy * y + yx * x + y0, xy * y + xx * x + x0


def _sample(
    images: jax.Array, from_y: jax.Array, from_x: jax.Array, size: tuple[int, int] | None = None
) -> jax.Array:
    """Read between four pixels; `size` is that of the output, if not that of the images."""
    _, rows, columns, channels = images.shape
    height, width = size or (rows, columns)
    from_y, from_x = ops.clip(from_y, 0, rows - 1), ops.clip(from_x, 0, columns - 1)
    top = ops.clip(ops.floor(from_y), 0, rows - 2)
    left = ops.clip(ops.floor(from_x), 0, columns - 2)
    down, right = (from_y - top)[..., None], (from_x - left)[..., None]
    corner = ops.cast(top * columns + left, "int32")[..., None]
    flat = ops.reshape(images, (-1, rows * columns, channels))

    def read(offset: int) -> jax.Array:
        pixels: jax.Array = ops.take_along_axis(flat, corner + offset, axis=1)
        return pixels

    upper = read(0) * (1 - right) + read(1) * right
    lower = read(columns) * (1 - right) + read(columns + 1) * right
    warped: jax.Array = ops.reshape(
        upper * (1 - down) + lower * down, (-1, height, width, channels)
    )
    return warped


def change_light(images: jax.Array, lights: jax.Array) -> jax.Array:
    """Do what `light` does, in plain JAX."""
    means = ops.mean(images, axis=(1, 2, 3), keepdims=True)
    contrast, brightness = (lights[:, i].reshape(-1, 1, 1, 1) for i in range(2))
    lit: jax.Array = (images - means) * contrast + means + brightness
    return lit


_warp_and_fill = jit_by_name(WARP_AND_FILL, warp_and_fill)
_warp_and_repeat = jit_by_name(WARP_AND_REPEAT, warp_and_repeat)
_light = jit_by_name(LIGHT, change_light)
