"""Max and sum pooling as elementwise operations over shifted views.

The plain max pooling's gradient searches each window again (select-and-scatter), one element
at a time on a CPU. The form keeps, for each window, an int8 number of the first largest
element; backward it is one comparison per element, fused with its neighbours. Ties go to the
first element in reading order, as in the plain primitive.

Measured on 2 cores within a training on 28×28 images (batch 128): 7.4 against 3.5 thousand images
a second with the plain primitive, neither pooling before bias and ReLU.
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax


class Window(NamedTuple):
    """A pooling window over (height, width), with ((top, bottom), (left, right)) padding."""

    size: tuple[int, int]
    strides: tuple[int, int]
    padding: tuple[tuple[int, int], tuple[int, int]]


def _window(params: dict[str, Any], aval: Any) -> Window | None:
    size, strides = params["window_dimensions"], params["window_strides"]
    padding = params["padding"]
    covered = (
        aval.ndim == 4
        and size[0] == size[3] == strides[0] == strides[3] == 1
        and tuple(padding[0]) == tuple(padding[3]) == (0, 0)
        and all(d == 1 for d in (*params["base_dilation"], *params["window_dilation"]))
        and jnp.issubdtype(aval.dtype, jnp.floating)
        and size[1] * size[2] < 128
    )
    if not covered:
        return None
    pads = (tuple(padding[1]), tuple(padding[2]))
    return Window(tuple(size[1:3]), tuple(strides[1:3]), pads)


def max_pooling_form(
    params: dict[str, Any], avals: list[Any]
) -> functools.partial[jax.Array] | None:
    """Cover 2-D max pooling, channels last, windows of fewer than 128 pixels."""
    window = _window(params, avals[0])
    return None if window is None else functools.partial(max_pool, window)


def sum_pooling_form(
    params: dict[str, Any], avals: list[Any]
) -> functools.partial[jax.Array] | None:
    """Cover the sums of 2-D average pooling, channels last, windows of fewer than 128 pixels."""
    window = _window(params, avals[0])
    return None if window is None else functools.partial(sum_pool, window)


def sum_pool(window: Window, image: jax.Array) -> jax.Array:
    """Add up each window of (n, height, width, channels); differentiated by JAX."""
    return functools.reduce(jnp.add, _views(window, image, 0.0))


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def max_pool(window: Window, image: jax.Array) -> jax.Array:
    """Take the largest element of each window of (n, height, width, channels)."""
    return functools.reduce(jnp.maximum, _views(window, image, -jnp.inf))


def _forward(window: Window, image: jax.Array) -> Any:
    largest, first = None, None
    for number, view in enumerate(_views(window, image, -jnp.inf)):
        if largest is None or first is None:
            largest, first = view, jnp.zeros(view.shape, jnp.int8)
        else:
            first = jnp.where(view > largest, jnp.int8(number), first)
            largest = jnp.maximum(view, largest)
    return largest, (first, image.shape[1:3])


def _backward(window: Window, residuals: Any, gradient: jax.Array) -> Any:
    first, (height, width) = residuals
    if window.size == window.strides and window.padding == ((0, 0), (0, 0)):
        return (_spread(window, first, gradient, height, width),)
    (top, _), (left, _) = window.padding
    (step_y, step_x) = window.strides
    zero = jnp.zeros((), gradient.dtype)
    spread_y = (gradient.shape[1] - 1) * step_y + 1
    spread_x = (gradient.shape[2] - 1) * step_x + 1
    parts = []
    for number in range(window.size[0] * window.size[1]):
        y, x = divmod(number, window.size[1])
        y, x = y - top, x - left
        part = jnp.where(first == number, gradient, zero)
        pads = (
            (0, 0, 0),
            (y, height - y - spread_y, step_y - 1),
            (x, width - x - spread_x, step_x - 1),
            (0, 0, 0),
        )
        parts.append(lax.pad(part, zero, pads))
    return (functools.reduce(jnp.add, parts),)


max_pool.defvjp(_forward, _backward)


def _spread(
    window: Window, first: jax.Array, gradient: jax.Array, height: int, width: int
) -> jax.Array:
    """Send each gradient to its window's first largest element; windows do not overlap."""
    n, rows, columns, channels = gradient.shape
    size_y, size_x = window.size
    numbers = jnp.arange(size_y * size_x, dtype=jnp.int8).reshape(1, 1, size_y, 1, size_x, 1)
    chosen = first[:, :, None, :, None, :] == numbers
    spread = jnp.where(chosen, gradient[:, :, None, :, None, :], 0)
    image = spread.reshape(n, rows * size_y, columns * size_x, channels)
    rest = ((0, 0), (0, height - rows * size_y), (0, width - columns * size_x), (0, 0))
    return jnp.pad(image, rest)


def _views(window: Window, image: jax.Array, filling: float) -> list[jax.Array]:
    (top, bottom), (left, right) = window.padding
    filler = jnp.asarray(filling, image.dtype)
    padded = lax.pad(image, filler, ((0, 0, 0), (top, bottom, 0), (left, right, 0), (0, 0, 0)))
    n, height, width, channels = padded.shape
    (size_y, size_x), (step_y, step_x) = window.size, window.strides
    rows, columns = (height - size_y) // step_y + 1, (width - size_x) // step_x + 1
    return [
        lax.slice(
            padded,
            (0, y, x, 0),
            (n, y + (rows - 1) * step_y + 1, x + (columns - 1) * step_x + 1, channels),
            (1, step_y, step_x, 1),
        )
        for y in range(size_y)
        for x in range(size_x)
    ]
