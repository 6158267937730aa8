"""Convolution by Winograd's minimal filtering, F(2×2, 3×3), with its own gradient.

Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (CVPR 2016): an output tile
of 2×2 needs an input tile of 4×4. Both tile and kernel are transformed by sums alone; sixteen
products of channels replace thirty-six, 2.25 times fewer. All three products of a training
step take place among the transformed: with V = Bᵀ·tile·B, U = G·kernel·Gᵀ and the output
Aᵀ·(V·U)·A, the gradients are those of these linear steps, each transposed.

The sixteen stay arrays of their own: stacked for one batched product they had to be copied, and
XLA walks a batch of products one after another (kernel gradients at 27 against 40 GFLOP/s). The
image's gradient is gathered in three kernels, not one, and the kernel's is a product of matrices:
together 1.07× in a training on 28×28 images, 2 cores with AVX-512.

Measured on 2 cores without AVX-512, one convolution forward and backward against patches: 2.1× at
8×8 pixels with 64 channels and filters, 1.5× with 64 and 128, 2.0× at 32×32 with 32 and 32, 1.2× at
8×8 with 32 and 32. With cropping and Threefry, a training on 28×28 images (32 and 64 filters, batch
128) went from 3.4 to 5.0 thousand images a second.

Numbers differ from the plain sum's by rounding alone: by less than 1e-6 of the largest, with 64
channels.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from clearcnn.training.cpu_kernels.fusion_barrier import apart
from clearcnn.training.cpu_kernels.window_geometry import Geometry, Size

# With fewer, the sums cost what the products save, or nearly: 0.9 to 1.3 times as fast at 16. And
# each such convolution takes longer to compile, on a slow machine more than a second.
LEAST_CHANNELS, LEAST_FILTERS = 32, 32

Grid = list[list[jax.Array]]


def suits(geometry: Geometry, channels: int, filters: int) -> bool:
    """Tell whether a convolution can be done, and sooner, in this way."""
    return (
        geometry.kernel == (3, 3)
        and geometry.strides == geometry.dilation == (1, 1)
        and geometry.groups == 1
        and channels >= LEAST_CHANNELS
        and filters >= LEAST_FILTERS
    )


def laid_size(geometry: Geometry, output: Size, channels: int, filters: int) -> int:
    """Give how many numbers are laid out, or multiplied, for an output of (height, width)."""
    del geometry
    rows, columns = _tiles(output)
    return 16 * rows * columns * max(channels, filters)


def lay(geometry: Geometry, image: jax.Array) -> Grid:
    """Transform the tiles: a grid of 4×4 parts (n, rows of tiles, columns of tiles, channels)."""
    tiles: Grid = apart(lambda image: _transform_tiles(geometry, image), image)
    return tiles


def multiply(
    geometry: Geometry, tiles: Grid, kernel: jax.Array, image: Size
) -> tuple[jax.Array, None]:
    """Multiply what `lay` made: (n, output height, output width, filters), and nothing to keep."""
    height, width = geometry.output(image)

    def weave(pixels: Grid) -> jax.Array:
        return _weave(pixels)[:, :height, :width]

    output: jax.Array = multiply_then(weave, tiles, kernel)
    return output, None


def differentiate(
    geometry: Geometry, tiles: Grid, kernel: jax.Array, kept: None, gradient: jax.Array, image: Size
) -> tuple[jax.Array, jax.Array]:
    """Give the gradients of image and kernel from that of the output."""
    del kept
    _, rows, columns, _ = tiles[0][0].shape

    def unweave(gradient: jax.Array) -> Grid:
        spare = ((0, 2 * rows - gradient.shape[1]), (0, 2 * columns - gradient.shape[2]))
        even = jnp.pad(gradient, ((0, 0), *spare, (0, 0)))
        return [[even[:, y::2, x::2] for x in range(2)] for y in range(2)]

    return differentiate_after(unweave, (gradient,), geometry, tiles, kernel, image)


def multiply_then(finish: Callable[[Grid], Any], tiles: Grid, kernel: jax.Array) -> Any:
    """Multiply what `lay` made, and do something to the output's grid of 2×2 pixels of tiles.

    Args:
      finish: is fused with the sums that make the grid, (n, rows, columns, filters) each.
    """
    products = _each(jnp.dot, tiles, _transform_kernel(kernel))
    return apart(lambda products: finish(_both(_output_sums, products)), products)


def differentiate_after(
    begin: Callable[..., Grid],
    arrays: Any,
    geometry: Geometry,
    tiles: Grid,
    kernel: jax.Array,
    image: Size,
) -> tuple[jax.Array, jax.Array]:
    """Give the gradients of image and kernel from that of the output's grid of 2×2 pixels.

    Args:
      begin: makes that grid of `arrays`, fused with the sums it goes into.
    """

    def transform(*arrays: Any) -> Grid:
        return _both(_output_sums_transposed, begin(*arrays))

    def place(pixels: Grid) -> jax.Array:
        (top, _), (left, _) = geometry.padding
        return _window(_weave(pixels), top, left, image)

    products = apart(transform, *arrays)
    sums = _each(_multiply_channels, tiles, products)
    turned = [[part.T for part in row] for row in _transform_kernel(kernel)]
    tile_gradients = _each(jnp.dot, products, turned)
    # In one kernel, each pixel would ask for each of sixteen sums whether it lies in its tile.
    tile_sums = apart(lambda grid: _both(_tile_sums_transposed, grid), tile_gradients)
    image_gradient = apart(place, apart(_add_tiles, tile_sums))
    kernel_gradient = jnp.stack([jnp.stack(row) for row in _both(_kernel_sums_transposed, sums)])
    return image_gradient, kernel_gradient


def _each(function: Callable[..., jax.Array], *grids: Grid) -> Grid:
    rows = zip(*grids, strict=True)
    return [[function(*parts) for parts in zip(*row, strict=True)] for row in rows]


def _multiply_channels(tile: jax.Array, product: jax.Array) -> jax.Array:
    # As matrices: XLA would copy a tensor, transposed.
    channels, filters = (part.reshape(-1, part.shape[-1]) for part in (tile, product))
    return channels.T @ filters


def _tiles(output: Size) -> Size:
    height, width = output
    return -(-height // 2), -(-width // 2)


def _transform_tiles(geometry: Geometry, image: jax.Array) -> Grid:
    n, height, width, channels = image.shape
    rows, columns = _tiles(geometry.output((height, width)))
    (top, _), (left, _) = geometry.padding
    padded = _window(image, -top, -left, (2 * rows + 2, 2 * columns + 2))
    grid = [
        [
            lax.slice(
                padded,
                (0, y, x, 0),
                (n, y + 2 * rows - 1, x + 2 * columns - 1, channels),
                (1, 2, 2, 1),
            )
            for x in range(4)
        ]
        for y in range(4)
    ]
    return _both(_tile_sums, grid)


def _transform_kernel(kernel: jax.Array) -> Grid:
    """(3, 3, channels, filters) → a grid of 4×4 parts (channels, filters)."""
    return _both(_kernel_sums, [list(row) for row in kernel])


def _tile_sums(d: Any) -> list[jax.Array]:
    return [d[0] - d[2], d[1] + d[2], d[2] - d[1], d[1] - d[3]]


def _tile_sums_transposed(v: Any) -> list[jax.Array]:
    return [v[0], v[1] - v[2] + v[3], v[1] + v[2] - v[0], -v[3]]


def _kernel_sums(g: Any) -> list[jax.Array]:
    return [g[0], (g[0] + g[1] + g[2]) / 2, (g[0] - g[1] + g[2]) / 2, g[2]]


def _kernel_sums_transposed(u: Any) -> list[jax.Array]:
    return [u[0] + (u[1] + u[2]) / 2, (u[1] - u[2]) / 2, (u[1] + u[2]) / 2 + u[3]]


def _output_sums(m: Any) -> list[jax.Array]:
    return [m[0] + m[1] + m[2], m[1] - m[2] - m[3]]


def _output_sums_transposed(y: Any) -> list[jax.Array]:
    return [y[0], y[0] + y[1], y[0] - y[1], -y[1]]


def _both(sums: Callable[[Any], list[jax.Array]], grid: Grid) -> Grid:
    """Take sums of a grid's rows, then of its columns."""
    halfway = list(zip(*(sums(column) for column in zip(*grid, strict=True)), strict=True))
    return [sums(row) for row in halfway]


def _weave(grid: Grid) -> jax.Array:
    """Lay the four pixels of each tile beside and below one another."""
    n, rows, columns, channels = grid[0][0].shape
    lines = jnp.stack([jnp.stack(row, axis=3) for row in grid], axis=2)
    return lines.reshape(n, 2 * rows, 2 * columns, channels)


def _add_tiles(grid: Grid) -> Grid:
    """Add tiles of 4×4 that overlap by two: 2×2 parts (n, rows + 1, columns + 1, channels)."""
    zero = jnp.zeros((), grid[0][0].dtype)

    def at(y: int, x: int) -> jax.Array:
        parts = [
            lax.pad(
                grid[y + 2 * down][x + 2 * right],
                zero,
                ((0, 0, 0), (down, 1 - down, 0), (right, 1 - right, 0), (0, 0, 0)),
            )
            for down in range(2)
            for right in range(2)
        ]
        return functools.reduce(jnp.add, parts)

    return [[at(0, 0), at(0, 1)], [at(1, 0), at(1, 1)]]


def _window(image: jax.Array, top: int, left: int, size: Size) -> jax.Array:
    """Give the window at (top, left), zero where it reaches beyond the image."""
    zero = jnp.zeros((), image.dtype)
    (height, width), (_, rows, columns, _) = size, image.shape
    vertical, horizontal = (-top, top + height - rows, 0), (-left, left + width - columns, 0)
    return lax.pad(image, zero, ((0, 0, 0), vertical, horizontal, (0, 0, 0)))
