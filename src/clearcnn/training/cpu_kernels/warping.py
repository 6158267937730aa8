"""Augmentation by one compiled kernel: affine change and lighting, from uint8 or float32.

The random amounts are drawn by JAX, and come as arrays.

The positions of a row are computed in a loop of their own, which becomes vectors, and three
channels are read as one vector: one core with AVX-512 warps an image of 96×96×3 in 24 µs instead
of 73, one of 64×64×1 in 9 instead of 22.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
from jax.extend.core import Jaxpr, JaxprEqn, Literal

from clearcnn.training.affine_warp import (
    LIGHT,
    WARP_AND_FILL,
    WARP_AND_REPEAT,
    change_light,
    warp_and_fill,
    warp_and_repeat,
)
from clearcnn.training.cpu_kernels.equations import Atom, count_uses, find_makers, shape_of
from clearcnn.types import PyTree


@dataclass(frozen=True)
class Warp:
    """Equations that are one `warp`: its inputs, some of them None."""

    images: Atom
    matrices: Atom
    fill: Atom | None
    lights: Atom | None


@dataclass
class Warps:
    """Variables of a jaxpr.

    Attributes:
      ends: the last output of a warp → the warp.
      inner: outputs within one, which nothing else reads.
    """

    ends: dict[Atom, Warp] = field(default_factory=dict)
    inner: set[Atom] = field(default_factory=set)


def find_warps(jaxpr: Jaxpr) -> Warps:
    """Find what augmentation does to float32 images, with the cast before it and the light after.

    Args:
      jaxpr: a function of images (n, height, width, channels).
    """
    found = Warps()
    warps = [e for e in jaxpr.eqns if _name_of(e) in (WARP_AND_FILL, WARP_AND_REPEAT)]
    if not warps:
        return found
    uses, makers = count_uses(jaxpr), find_makers(jaxpr)
    lit = {e.invars[0]: e for e in jaxpr.eqns if _name_of(e) == LIGHT}
    for equation in warps:
        images, matrices, *fill = equation.invars
        output = equation.outvars[0]
        if shape_of(output).dtype != jnp.float32 or shape_of(matrices).dtype != jnp.float32:
            continue
        cast = makers.get(images)
        if cast is not None and _is_cast(cast) and uses[images] == 1:
            found.inner.add(images)
            images = cast.invars[0]
        light = lit.get(output) if uses[output] == 1 else None
        if light is not None:
            found.inner.add(output)
            output = light.outvars[0]
        lights = None if light is None else light.invars[1]
        found.ends[output] = Warp(images, matrices, fill[0] if fill else None, lights)
    return found


def _name_of(equation: JaxprEqn) -> str | None:
    name: str | None = equation.params["name"] if equation.primitive.name == "jit" else None
    return name


def _is_cast(equation: JaxprEqn) -> bool:
    (source, *_) = equation.invars
    return (
        equation.primitive.name == "convert_element_type"
        and not isinstance(source, Literal)
        and shape_of(source).dtype == jnp.uint8
    )


def evaluate(warping: Warp, read: Callable[[Atom], jax.Array]) -> jax.Array:
    """Compute a warp; `read` gives the value of an input."""
    images, matrices = read(warping.images), read(warping.matrices)
    fill = None if warping.fill is None else jnp.asarray(read(warping.fill), jnp.float32)
    lights = None if warping.lights is None else read(warping.lights)
    return warp(images, matrices, fill, lights)


@jax.custom_vjp
def warp(
    images: jax.Array, matrices: jax.Array, fill: jax.Array | None, lights: jax.Array | None
) -> jax.Array:
    """Warp images, and light them.

    Args:
      images: uint8 or float32 (n, height, width, channels).
      matrices: float32 (n, 6), as for `affine_warp.warp`.
      fill: float32 (), the value outside an image; None repeats its edge.
      lights: float32 (n, 2), as for `affine_warp.light`; None leaves the images as they are.
    Returns:
      float32 (n, height, width, channels).
    """
    call = jax.ffi.ffi_call(
        "clearcnn_warp",
        jax.ShapeDtypeStruct(images.shape, jnp.float32),
        vmap_method="sequential",
    )
    none = jnp.zeros((0, 2), jnp.float32)
    warped: jax.Array = call(
        images,
        matrices,
        jnp.float32(0) if fill is None else fill,
        none if lights is None else lights,
        fills=fill is not None,
    )
    return warped


def warp_plainly(
    images: jax.Array, matrices: jax.Array, fill: jax.Array | None, lights: jax.Array | None
) -> jax.Array:
    """Do what `warp` does in plain JAX."""
    pixels = images.astype(jnp.float32)
    if fill is None:
        warped = warp_and_repeat(pixels, matrices)
    else:
        warped = warp_and_fill(pixels, matrices, fill)
    return warped if lights is None else change_light(warped, lights)


def _forward(*arrays: jax.Array | None) -> tuple[jax.Array, PyTree]:
    return warp(*arrays), arrays


def _backward(arrays: PyTree, gradient: jax.Array) -> PyTree:
    # Images that are augmented are rarely computed by a network; then XLA drops all of this.
    images, matrices, fill, lights = arrays
    _, pull_back = jax.vjp(
        lambda images, matrices, lights: warp_plainly(images, matrices, fill, lights),
        images,
        matrices,
        lights,
    )
    of_images, of_matrices, of_lights = pull_back(gradient)
    # The fill value is a constant.
    return of_images, of_matrices, None if fill is None else jnp.zeros_like(fill), of_lights


warp.defvjp(_forward, _backward)
