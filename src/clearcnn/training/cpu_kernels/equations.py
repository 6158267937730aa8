"""The equations of a traced function, with their types."""

from typing import TypeAlias, cast

from jax.core import ShapedArray
from jax.extend.core import JaxprEqn, Literal, Var

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
