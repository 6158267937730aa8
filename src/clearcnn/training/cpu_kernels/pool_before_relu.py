"""Pool before bias and ReLU, which commute with taking the largest.

Adding one number to a whole channel, and ReLU, keep the order of values, so the largest of a
window can be taken first; they and their gradients then run over a quarter of the values at
2×2. Values are the same to the bit; gradients too, but where rounding makes or breaks a tie.

Measured on 2 cores: 8.0 against 7.4 thousand images of 28×28 a second (batch 128), and 0.36 against
0.67 seconds for the digits' tutorial, whose steps are made of small operations.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import jax
from jax.extend import core

from clearcnn.training.cpu_kernels.pooling import pooling_geometry


@dataclass(frozen=True)
class Postponed:
    """A value with operations still to be done to it, in order.

    Attributes:
      value: an array.
      operations: each takes and gives an array.
      is_pooled: the pooling that they wait for is in the value already.
    """

    value: Any
    operations: tuple[Callable[[Any], Any], ...] = ()
    is_pooled: bool = False

    def then(self, operation: Callable[[Any], Any]) -> "Postponed":
        """Add an operation at the end."""
        return replace(self, operations=(*self.operations, operation))

    def finish(self, value: Any) -> Any:
        """Do the operations to another value."""
        for operation in self.operations:
            value = operation(value)
        return value


def find_postponable(jaxpr: Any) -> dict[Any, int]:
    """Find what can wait until after a max pooling.

    Returns:
      The first output of each such equation → the position among its inputs of the value that
      is pooled in the end. Nothing but the pooling reads it.
    """
    uses, makers = _count_uses(jaxpr), _find_makers(jaxpr)
    found = {}
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


def find_pooled(jaxpr: Any, postponable: dict[Any, int]) -> dict[Any, Any]:
    """Find the convolutions that nothing reads but a max pooling.

    Args:
      jaxpr: a function of images.
      postponable: what `find_postponable` found in it.
    Returns:
      The output of each such convolution → the equation of the pooling.
    """
    uses, makers = _count_uses(jaxpr), _find_makers(jaxpr)
    found = {}
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


def operation_of(equation: Any, position: int, inputs: list[Any]) -> Callable[[Any], Any]:
    """Give a postponable equation as a function of its pooled input."""
    if equation.primitive.name == "add":
        other = inputs[1 - position]
        return lambda value: value + other
    return jax.nn.relu


def _count_uses(jaxpr: Any) -> Counter[Any]:
    return Counter(
        atom
        for atoms in (*(equation.invars for equation in jaxpr.eqns), jaxpr.outvars)
        for atom in atoms
        if not isinstance(atom, core.Literal)
    )


def _find_makers(jaxpr: Any) -> dict[Any, Any]:
    return {variable: equation for equation in jaxpr.eqns for variable in equation.outvars}


def _pooled_input(equation: Any) -> int | None:
    name = equation.primitive.name
    if name == "custom_jvp_call" and _is_relu(equation.params["call_jaxpr"].jaxpr):
        return 0
    if name == "add":
        shape = equation.outvars[0].aval.shape
        for position in (0, 1):
            other = equation.invars[1 - position].aval.shape
            is_whole = equation.invars[position].aval.shape == shape
            if is_whole and len(other) == len(shape) == 4 and other[:3] == (1, 1, 1):
                return position
    return None


def _is_relu(jaxpr: Any) -> bool:
    """Tell whether a function is max(x, 0), however often wrapped in jit."""
    if len(jaxpr.eqns) != 1:
        return False
    (equation,) = jaxpr.eqns
    if equation.primitive.name == "jit":
        return _is_relu(equation.params["jaxpr"].jaxpr)
    zero = equation.invars[-1]
    return equation.primitive.name == "max" and isinstance(zero, core.Literal) and zero.val == 0


def _always_sees_the_image(pooling: Any) -> bool:
    """Tell whether each window holds more than padding, so that it has a largest element."""
    if pooling_geometry(pooling.params, [atom.aval for atom in pooling.invars]) is None:
        return False
    sizes, padding = pooling.params["window_dimensions"], pooling.params["padding"]
    return all(0 <= pad < size for size, pads in zip(sizes, padding, strict=True) for pad in pads)
