"""The equations of a traced function, with their types."""

from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias, cast

from jax.core import ShapedArray
from jax.extend.core import Jaxpr, JaxprEqn, Literal, Var

Atom: TypeAlias = Var | Literal
"""An input of an equation."""

Shapes: TypeAlias = list[ShapedArray]
"""Shapes and dtypes of the inputs of an equation."""


def shape_of(atom: Atom) -> ShapedArray:
    """Return the shape and dtype of a value, which in our functions is always an array."""
    return cast(ShapedArray, atom.aval)


def input_shapes(equation: JaxprEqn) -> Shapes:
    """Return the shape and dtype of each input."""
    return [shape_of(atom) for atom in equation.invars]


def count_uses(jaxpr: Jaxpr) -> Counter[Atom]:
    """Count how often each variable is read, by equations or as a result."""
    return Counter(
        atom
        for atoms in (*(equation.invars for equation in jaxpr.eqns), jaxpr.outvars)
        for atom in atoms
        if not isinstance(atom, Literal)
    )


def find_makers(jaxpr: Jaxpr) -> dict[Atom, JaxprEqn]:
    """Return the equation that computes each variable."""
    return {variable: equation for equation in jaxpr.eqns for variable in equation.outvars}


def find_between(
    jaxpr: Jaxpr, sources: Iterable[Atom], targets: Iterable[Atom]
) -> tuple[list[JaxprEqn], tuple[Atom, ...]]:
    """Find how some variables are computed from others.

    Returns:
      The equations between them, in order, and the variables that these read besides `sources`.
    """
    known, depends = set(sources), set(sources)
    for equation in jaxpr.eqns:
        if any(atom in depends for atom in _variables(equation)):
            depends.update(equation.outvars)
    wanted, equations = set(targets), []
    for equation in reversed(jaxpr.eqns):
        outputs = set(equation.outvars)
        if outputs & wanted & depends and not outputs & known:
            wanted |= set(_variables(equation))
            equations.append(equation)
    made = {variable for equation in equations for variable in equation.outvars}
    return equations[::-1], tuple(wanted - made - known)


def _variables(equation: JaxprEqn) -> list[Atom]:
    return [atom for atom in equation.invars if not isinstance(atom, Literal)]


def is_relu(equation: JaxprEqn) -> bool:
    """Tell whether an equation is `jax.nn.relu`."""
    name = equation.primitive.name
    return name == "custom_jvp_call" and _is_max_with_zero(equation.params["call_jaxpr"].jaxpr)


def _is_max_with_zero(jaxpr: Jaxpr) -> bool:
    """Tell whether a function is max(x, 0), possibly within jit."""
    if len(jaxpr.eqns) != 1:
        return False
    (equation,) = jaxpr.eqns
    if equation.primitive.name == "jit":
        return _is_max_with_zero(equation.params["jaxpr"].jaxpr)
    zero = equation.invars[-1]
    return equation.primitive.name == "max" and isinstance(zero, Literal) and zero.val == 0
