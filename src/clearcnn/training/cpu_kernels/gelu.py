"""The exact GELU, x · Φ(x), with a gradient that keeps x alone.

JAX writes it as x / 2 · erfc(-x / √2), so that a tiny result is exact relative to itself. XLA's
erfc computes two branches, one with an exponential; its erf is one ratio of polynomials, as quick
as ReLU. The result here is exact to 1e-7 of x, absolutely.

Measured on 2 cores with AVX-512: 0.6 against 1.5 ms for two million numbers.
"""

import math
from dataclasses import dataclass
from typing import TypeAlias

import jax
import jax.numpy as jnp
from jax import lax
from jax.extend.core import Jaxpr, JaxprEqn, Literal

from clearcnn.training.cpu_kernels.equations import Atom, count_uses, find_makers, shape_of

_ROOT_HALF = math.sqrt(0.5)
_ROOT_TWO_OVER_PI = math.sqrt(2 / math.pi)

Makers: TypeAlias = dict[Atom, JaxprEqn]


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
      uses: how often x is read.
      approximate: whether it is the approximation by tanh.
    """

    x: Atom
    output: Atom
    inner: frozenset[Atom]
    uses: int
    approximate: bool


def find_gelus(jaxpr: Jaxpr) -> list[Gelu]:
    """Find the GELUs of float32, as JAX writes them.

    The exact one is x / 2 · erfc(-x / √2), and the approximation
    x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2.
    """
    uses, makers = count_uses(jaxpr), find_makers(jaxpr)
    found = []
    for equation in jaxpr.eqns:
        if equation.primitive.name != "mul" or shape_of(equation.outvars[0]).dtype != jnp.float32:
            continue
        output = equation.outvars[0]
        for one, other in (equation.invars, equation.invars[::-1]):
            gelu = _match_exact(makers, output, one, other) or _match_tanh(
                makers, output, one, other
            )
            if gelu and all(uses[atom] == 1 for atom in gelu.inner):
                found.append(gelu)
    return found


def _match_exact(makers: Makers, output: Atom, half: Atom, tail: Atom) -> Gelu | None:
    erfc = _made_by(makers, tail, "erfc")
    scaled = erfc and _made_by(makers, erfc.invars[0], "mul")
    negative = scaled and _made_by(makers, scaled.invars[0], "neg")
    halved = _made_by(makers, half, "mul")
    if not (erfc and scaled and negative and halved):
        return None
    x, inner = negative.invars[0], (half, tail, erfc.invars[0], scaled.invars[0])
    fits = (
        halved.invars[1] == x
        and _is_literal(halved.invars[0], 0.5)
        and _is_literal(scaled.invars[1], _ROOT_HALF)
    )
    return Gelu(x, output, frozenset(inner), 2, approximate=False) if fits else None


def _match_tanh(makers: Makers, output: Atom, x: Atom, share: Atom) -> Gelu | None:
    """Follow the steps back to x; each has a number for its first input, or x."""
    steps = (("mul", 0.5), ("add", 1.0), ("tanh", None), ("mul", _ROOT_TWO_OVER_PI), ("add", x),
             ("mul", 0.044715), ("integer_pow", None))  # fmt: skip
    inner, value = [], share
    for name, number in steps:
        equation = _made_by(makers, value, name)
        if equation is None:
            return None
        inner.append(value)
        first, value = equation.invars[0], equation.invars[-1]
        if isinstance(number, float):
            fits = _is_literal(first, number)
        else:
            fits = first == (value if number is None else number)
        if not fits or (name == "integer_pow" and equation.params["y"] != 3):
            return None
    return Gelu(x, output, frozenset(inner), 3, approximate=True) if value == x else None


def _made_by(makers: Makers, atom: Atom, name: str) -> JaxprEqn | None:
    equation = None if isinstance(atom, Literal) else makers.get(atom)
    return equation if equation and equation.primitive.name == name else None


def _is_literal(atom: Atom, value: float) -> bool:
    return isinstance(atom, Literal) and abs(float(atom.val) - value) < 1e-6
