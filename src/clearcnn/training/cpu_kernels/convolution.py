"""Convolution by the compiled kernels, or else as matrix products in pieces that fit the cache.

The kernels (`direct.py`, `depthwise.py`) do what they cover. Where they were not built, and for
other numbers than float32, an image is laid out for matrix products; other groups, such as those of
two channels, are summed tap by tap. There are two ways: as patches,
which covers every case, and as Winograd's tiles, with fewer products where both channels and
filters are many. Backward, both are matrix products again, where differentiating the plain
primitive gives two more convolutions that XLA runs slowly on a CPU.

Measured on 2 cores with patches alone, within a training on 28×28 images (two convolutions of 32
and 64 filters, batch 128): 7.8 thousand images a second, 5.7 with JAX's own derivative of the
patches, 0.5 with the plain primitive; the digits' tutorial takes 0.37, 0.51 and 0.99 seconds.

What is laid out is several times as large as the image. A large batch is walked in pieces that
fit the cache, laid out anew for the gradient rather than kept. That gave 1.1× on three blocks of
Conv-BatchNormalization-ReLU at 32×32×3 (batch 128, 2 cores), where whole-batch statistics forbid
micro-batches of the step.

Tried on 2 cores with AVX-512 and left: the kernel's gradient row by row of taps (15 % faster
alone, 10 % slower in a step), over transposed patches, and over batches of products; the image's
gradient as a convolution with the flipped kernel (0.4 against 0.25 ms at 64×8×8×24); XLA's
oneDNN, XNNPACK and YNNPACK products, wider vectors and fast mathematics (none faster).
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from clearcnn.training.cpu_kernels import depthwise, direct, im2col, pooled_winograd, winograd
from clearcnn.training.cpu_kernels.pooling import pooling_geometry
from clearcnn.training.cpu_kernels.window_geometry import Geometry, Size
from clearcnn.training.cpu_kernels.windows import views

# What may be laid out at once: a few times the second-level caches of today.
BUDGET_BYTES = 8 * 2**20


def convolution_geometry(params: dict[str, Any], avals: list[Any]) -> Geometry | None:
    """Read a 2-D convolution, channels last; None for any other."""
    image, kernel = avals
    numbers = params["dimension_numbers"]
    covered = (
        image.ndim == 4
        and (numbers.lhs_spec, numbers.rhs_spec, numbers.out_spec)
        == ((0, 3, 1, 2), (3, 2, 0, 1), (0, 3, 1, 2))
        and params["batch_group_count"] == 1
        and params["lhs_dilation"] == (1, 1)
        and jnp.issubdtype(image.dtype, jnp.floating)
        and params["preferred_element_type"] in (None, image.dtype)
    )
    if not covered:
        return None
    vertical, horizontal = params["padding"]
    return Geometry(
        tuple(kernel.shape[:2]),
        tuple(params["window_strides"]),
        tuple(params["rhs_dilation"]),
        (tuple(vertical), tuple(horizontal)),
        params["feature_group_count"],
    )


def convolution_form(params: dict[str, Any], avals: list[Any]) -> Callable[..., Any] | None:
    """Cover any stride, padding, dilation and groups that `convolution_geometry` reads."""
    geometry = convolution_geometry(params, avals)
    return None if geometry is None else functools.partial(convolve, geometry)


def laid_bytes(geometry: Geometry, output: Size, image: Any, kernel: Any) -> int:
    """Return the bytes of the working set of a batch.

    The compiled kernels need no buffer, but images and outputs that fit the cache are read again
    faster. Counting half of their bytes made training 1.14 times as fast as without micro-batches
    on 96×96 images, 1.04 times on 64×64, and no different on smaller ones (2 cores).

    Args:
      geometry: of the convolution.
      output: (height, width) of what comes out of it.
      image, kernel: arrays, or their abstract values.
    """
    if direct.suits(geometry, image, kernel) or depthwise.suits(geometry, image, kernel):
        pixels = math.prod(image.shape[1:]) + math.prod(output) * kernel.shape[-1]
        return int(image.shape[0] * pixels * image.dtype.itemsize) // 2
    size = _way(geometry, image, kernel).laid_size(geometry, output, *kernel.shape[2:])
    return int(image.shape[0] * size * image.dtype.itemsize)


def convolve(geometry: Geometry, image: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolve as `lax.conv_general_dilated` does with NHWC images and HWIO kernels.

    Args:
      image: (n, height, width, channels), float.
      kernel: (kernel height, kernel width, channels / groups, filters), float.
    Returns:
      (n, output height, output width, filters).
    """
    if direct.suits(geometry, image, kernel):
        return direct.convolve(geometry, image, kernel)
    if depthwise.suits(geometry, image, kernel):
        return depthwise.convolve(geometry, image, kernel)
    if geometry.groups > 1:
        return _convolve_groups(geometry, image, kernel)
    convolved: jax.Array = _convolve(_way(geometry, image, kernel), geometry, image, kernel)
    return convolved


def pooled_convolution_form(
    params: dict[str, Any], avals: list[Any], pooling: Any
) -> Callable[..., Any] | None:
    """Cover a convolution and the max pooling that alone reads it, where their tiles are one."""
    geometry = convolution_geometry(params, avals)
    window = pooling_geometry(pooling.params, [atom.aval for atom in pooling.invars])
    if geometry is None or window is None or direct.suits(geometry, *avals):
        return None
    if _way(geometry, *avals) is not winograd:
        return None
    if not pooled_winograd.suits(window, geometry.output(avals[0].shape[1:3])):
        return None
    return functools.partial(_convolve, pooled_winograd, geometry)


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 1))
def _convolve(way: Any, geometry: Geometry, image: jax.Array, kernel: jax.Array) -> jax.Array:
    convolved: jax.Array = _forward(way, geometry, image, kernel)[0]
    return convolved


def _forward(way: Any, geometry: Geometry, image: jax.Array, kernel: jax.Array) -> Any:
    size, images = image.shape[1:3], _part(geometry, image, kernel)
    if len(images) == 1:
        laid = way.lay(geometry, image)
        output, kept = way.multiply(geometry, laid, kernel, size)
        return output, (image, kernel, laid, kept)

    def convolve_piece(piece: jax.Array) -> Any:
        return way.multiply(geometry, way.lay(geometry, piece), kernel, size)

    outputs, kept = lax.map(convolve_piece, images)
    return _join(outputs), (image, kernel, None, kept)


def _backward(way: Any, geometry: Geometry, residuals: Any, gradient: jax.Array) -> Any:
    image, kernel, laid, kept = residuals
    size = image.shape[1:3]
    if laid is not None:
        return way.differentiate(geometry, laid, kernel, kept, gradient, size)

    def step(total: jax.Array, piece: Any) -> Any:
        part, kept, gradient = piece
        image_gradient, kernel_gradient = way.differentiate(
            geometry, way.lay(geometry, part), kernel, kept, gradient, size
        )
        return total + kernel_gradient, image_gradient

    images = _part(geometry, image, kernel)
    gradients = gradient.reshape(len(images), -1, *gradient.shape[1:])
    total, image_gradients = lax.scan(step, jnp.zeros_like(kernel), (images, kept, gradients))
    return _join(image_gradients), total


_convolve.defvjp(_forward, _backward)


def _way(geometry: Geometry, image: Any, kernel: Any) -> Any:
    """Choose the module that lays out, multiplies and differentiates."""
    exact_enough = image.dtype.itemsize >= 4
    return winograd if exact_enough and winograd.suits(geometry, *kernel.shape[2:]) else im2col


def _part(geometry: Geometry, image: jax.Array, kernel: jax.Array) -> jax.Array:
    """Part a batch so that what is laid out for a piece fits the cache: (pieces, n / pieces, …)."""
    n, height, width, channels = image.shape
    laid = laid_bytes(geometry, geometry.output((height, width)), image, kernel)
    wanted = max(1, -(-laid // BUDGET_BYTES))
    fitting = range(wanted, min(n, 3 * wanted) + 1)
    pieces = next((count for count in fitting if n % count == 0), 1)
    return image.reshape(pieces, n // pieces, height, width, channels)


def _join(pieces: jax.Array) -> jax.Array:
    return pieces.reshape(-1, *pieces.shape[2:])


def _convolve_groups(geometry: Geometry, image: jax.Array, kernel: jax.Array) -> jax.Array:
    """Sum over taps of small products, each group by itself; differentiated by JAX."""
    groups, (kernel_y, kernel_x, channels, filters) = geometry.groups, kernel.shape
    taps = kernel.reshape(kernel_y * kernel_x, channels, groups, filters // groups)

    def multiply(view: jax.Array, tap: jax.Array) -> jax.Array:
        grouped = view.reshape(*view.shape[:3], groups, channels)
        if channels == 1 and filters == groups:
            return grouped * tap[0]
        return jnp.einsum("nhwgc,cgf->nhwgf", grouped, tap)

    total = functools.reduce(jnp.add, map(multiply, views(geometry, image), taps))
    return total.reshape(*total.shape[:3], filters)
