"""The exact GELU, x · Φ(x), with a gradient that keeps x alone.

JAX writes it as x / 2 · erfc(-x / √2), so that a tiny result is exact relative to itself. XLA's
erfc computes two branches, one with an exponential; its erf is one ratio of polynomials, as quick
as ReLU. The result here is exact to 1e-7 of x, absolutely.

Measured on 2 cores with AVX-512: 0.6 against 1.5 ms for two million numbers.
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import Jaxpr, JaxprEqn, Literal

from clearcnn.training.cpu_kernels.equations import Atom, count_uses, find_makers, shape_of

_ROOT_HALF = math.sqrt(0.5)


@jax.custom_vjp
def gelu(x: jax.Array) -> jax.Array:
    """Return x times the probability that a standard normal number is below x."""
    return x * _probability(x)


def _forward(x: jax.Array) -> tuple[jax.Array, jax.Array]:
    return gelu(x), x


def _backward(x: jax.Array, gradient: jax.Array) -> tuple[jax.Array]:
    return (gradient * slope(x),)


gelu.defvjp(_forward, _backward)


def slope(x: jax.Array) -> jax.Array:
    """Return the derivative of GELU."""
    density = jnp.exp(x * x * -0.5) * (1 / math.sqrt(2 * math.pi))
    return _probability(x) + x * density


def _probability(x: jax.Array) -> jax.Array:
    return 0.5 + 0.5 * lax.erf(x * _ROOT_HALF)


@dataclass(frozen=True)
class Gelu:
    """The equations of one GELU.

    Attributes:
      x, output: what goes in and comes out.
      inner: what is computed between them and read by nothing else.
    """

    x: Atom
    output: Atom
    inner: frozenset[Atom]


def find_gelus(jaxpr: Jaxpr) -> list[Gelu]:
    """Find x / 2 · erfc(-x / √2), of float32."""
    uses, makers = count_uses(jaxpr), find_makers(jaxpr)
    found = []
    for equation in jaxpr.eqns:
        if equation.primitive.name != "mul" or shape_of(equation.outvars[0]).dtype != jnp.float32:
            continue
        for half, tail in (equation.invars, equation.invars[::-1]):
            erfc = _made_by(makers, tail, "erfc")
            scaled = erfc and _made_by(makers, erfc.invars[0], "mul")
            negative = scaled and _made_by(makers, scaled.invars[0], "neg")
            halved = _made_by(makers, half, "mul")
            if not (erfc and scaled and negative and halved):
                continue
            x, inner = negative.invars[0], (half, tail, erfc.invars[0], scaled.invars[0])
            if (
                halved.invars[1] == x
                and _is_literal(halved.invars[0], 0.5)
                and _is_literal(scaled.invars[1], _ROOT_HALF)
                and all(uses[atom] == 1 for atom in inner)
            ):
                found.append(Gelu(x, equation.outvars[0], frozenset(inner)))
    return found


def _made_by(makers: dict[Atom, JaxprEqn], atom: Atom, name: str) -> JaxprEqn | None:
    equation = None if isinstance(atom, Literal) else makers.get(atom)
    return equation if equation and equation.primitive.name == name else None


def _is_literal(atom: Atom, value: float) -> bool:
    return isinstance(atom, Literal) and abs(float(atom.val) - value) < 1e-6
