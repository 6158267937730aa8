"""Max pooling before bias and ReLU, which commute with the maximum.

Adding one number to a whole channel, and ReLU, keep the order of values, so the maximum of a window
can be taken first; with 2×2 windows, bias, ReLU and their gradients then run over a quarter of the
values. Values are the same to the bit; gradients too, except where rounding makes or breaks a tie.

Measured on 2 cores: 8.0 against 7.4 thousand images of 28×28 a second (batch 128), and 0.36 against
0.67 seconds for the digits' tutorial, whose steps are made of small operations.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import jax
from jax.extend.core import Jaxpr, JaxprEqn

from clearcnn.training.cpu_kernels.equations import (
    Atom,
    count_uses,
    find_makers,
    input_shapes,
    is_relu,
    shape_of,
)
from clearcnn.training.cpu_kernels.pooling import pooling_geometry

Operation: TypeAlias = Callable[[jax.Array], jax.Array]


@dataclass(frozen=True)
class Postponed:
    """A value with operations that are still to be applied to it, in order.

    Attributes:
      value: an array.
      operations: each takes and returns an array.
      is_pooled: whether the value is already pooled.
    """

    value: jax.Array
    operations: tuple[Operation, ...] = ()
    is_pooled: bool = False

    def then(self, operation: Operation) -> "Postponed":
        """Add an operation at the end."""
        return replace(self, operations=(*self.operations, operation))

    def finish(self, value: jax.Array) -> jax.Array:
        """Apply the operations to another value."""
        for operation in self.operations:
            value = operation(value)
        return value


def find_postponable(jaxpr: Jaxpr) -> dict[Atom, int]:
    """Find the equations that can be postponed until after a max pooling.

    Returns:
      The first output of each such equation → the position, among its inputs, of the value that
      is pooled. Nothing but the pooling reads that output.
    """
    uses, makers = count_uses(jaxpr), find_makers(jaxpr)
    found: dict[Atom, int] = {}
    for equation in jaxpr.eqns:
        if equation.primitive.name != "reduce_window_max" or not _always_sees_the_image(equation):
            continue
        variable = equation.invars[0]
        while uses[variable] == 1 and variable in makers:
            position = _pooled_input(makers[variable])
            if position is None:
                break
            found[variable] = position
            variable = makers[variable].invars[position]
    return found


def find_pooled(jaxpr: Jaxpr, postponable: Mapping[Atom, int]) -> dict[Atom, JaxprEqn]:
    """Find the convolutions whose only reader is a max pooling.

    Args:
      jaxpr: a function of images.
      postponable: as `find_postponable` returns it.
    Returns:
      The output of each such convolution → the equation of the pooling.
    """
    uses, makers = count_uses(jaxpr), find_makers(jaxpr)
    found: dict[Atom, JaxprEqn] = {}
    for equation in jaxpr.eqns:
        if equation.primitive.name != "reduce_window_max":
            continue
        variable = equation.invars[0]
        while (position := postponable.get(variable)) is not None:
            variable = makers[variable].invars[position]
        maker = makers.get(variable)
        if maker and maker.primitive.name == "conv_general_dilated" and uses[variable] == 1:
            found[variable] = equation
    return found


def operation_of(equation: JaxprEqn, position: int, inputs: Sequence[jax.Array]) -> Operation:
    """Return a postponable equation as a function of its pooled input."""
    if equation.primitive.name == "add":
        other = inputs[1 - position]
        return lambda value: value + other
    return jax.nn.relu


def _pooled_input(equation: JaxprEqn) -> int | None:
    name = equation.primitive.name
    if is_relu(equation):
        return 0
    if name == "add":
        shape = shape_of(equation.outvars[0]).shape
        for position in (0, 1):
            other = shape_of(equation.invars[1 - position]).shape
            is_whole = shape_of(equation.invars[position]).shape == shape
            if is_whole and len(other) == len(shape) == 4 and other[:3] == (1, 1, 1):
                return position
    return None


def _always_sees_the_image(pooling: JaxprEqn) -> bool:
    """Tell whether no window is padding only, so that each has a largest element."""
    if pooling_geometry(pooling.params, input_shapes(pooling)) is None:
        return False
    sizes, padding = pooling.params["window_dimensions"], pooling.params["padding"]
    return all(0 <= pad < size for size, pads in zip(sizes, padding, strict=True) for pad in pads)
