"""Find a convolution, bias, ReLU and max pooling in a row, which one compiled kernel computes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
from jax.extend.core import Jaxpr, JaxprEqn

from clearcnn.training.cpu_kernels import direct, pooled_convolution
from clearcnn.training.cpu_kernels.convolution import convolution_geometry
from clearcnn.training.cpu_kernels.cropping import Extents, crop, crop_parameters
from clearcnn.training.cpu_kernels.equations import (
    Atom,
    count_uses,
    find_makers,
    input_shapes,
    is_relu,
)
from clearcnn.training.cpu_kernels.pooling import pooling_geometry


@dataclass(frozen=True)
class Chain:
    """The equations of a convolution and of the pooling that alone reads it, and what is between.

    Attributes:
      convolution, pooling: the first and last equation.
      bias: (1, 1, 1, filters); None if there is none.
      relu: whether there is ReLU, after the bias.
    """

    convolution: JaxprEqn
    bias: Atom | None
    relu: bool
    pooling: JaxprEqn


@dataclass
class OnePass:
    """Variables of a jaxpr.

    Attributes:
      ends: what the pooling of a chain computes → the chain.
      inner: the other variables of chains, which nothing else reads.
    """

    ends: dict[Atom, Chain] = field(default_factory=dict)
    inner: set[Atom] = field(default_factory=set)


def find_one_pass(jaxpr: Jaxpr, postponable: Mapping[Atom, int]) -> OnePass:
    """Search a function of images.

    Args:
      jaxpr: the function.
      postponable: as `find_postponable` returns it.
    """
    uses, makers = count_uses(jaxpr), find_makers(jaxpr)
    found = OnePass()
    for pooling in jaxpr.eqns:
        if pooling.primitive.name != "reduce_window_max":
            continue
        bias, relu, variable = None, False, pooling.invars[0]
        passed = {variable}
        while (position := postponable.get(variable)) is not None:
            equation = makers[variable]
            if bias is not None or (relu and is_relu(equation)):
                break
            if is_relu(equation):
                relu = True
            else:
                bias = equation.invars[1 - position]
            variable = equation.invars[position]
            passed.add(variable)
        convolution = makers.get(variable)
        if convolution is not None and uses[variable] == 1 and _suits(convolution, pooling):
            found.ends[pooling.outvars[0]] = Chain(convolution, bias, relu, pooling)
            found.inner |= passed
    return found


def _suits(convolution: JaxprEqn, pooling: JaxprEqn) -> bool:
    """Tell whether a kernel covers the convolution and the pooling."""
    if convolution.primitive.name != "conv_general_dilated":
        return False
    avals = input_shapes(convolution)
    geometry = convolution_geometry(convolution.params, avals)
    return (
        geometry is not None
        and geometry.groups == 1
        and direct.suits(geometry, *avals)
        and pooling_geometry(pooling.params, input_shapes(pooling)) is not None
    )


def evaluate_one_pass(
    chain: Chain, read: Callable[[Atom], jax.Array], extents: Extents
) -> jax.Array:
    """Compute a chain.

    Args:
      chain: of a function.
      read: gives the values of its variables.
      extents: as `find_extents` returns them.
    """
    image, kernel = map(read, chain.convolution.invars)
    params, image = crop(chain.convolution, image, extents)
    geometry = convolution_geometry(params, [jax.typeof(image), jax.typeof(kernel)])
    assert geometry is not None
    _, height, width, _ = image.shape
    output = geometry.output((height, width))
    params, _ = crop_parameters(chain.pooling, output, extents)
    window = pooling_geometry(params, input_shapes(chain.pooling))
    assert window is not None
    filters = kernel.shape[-1:]
    bias = jnp.zeros((), jnp.float32) if chain.bias is None else read(chain.bias).ravel()
    bias = jnp.broadcast_to(bias, filters)
    return pooled_convolution.convolve(geometry, window, chain.relu, image, kernel, bias)
