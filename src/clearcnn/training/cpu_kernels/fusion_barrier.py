"""A barrier that XLA does not fuse across."""

from collections.abc import Callable
from typing import TypeVar

import jax
from jax.experimental.xla_metadata import set_xla_metadata

from clearcnn.types import PyTree

T = TypeVar("T")


def apart(function: Callable[..., T], *arrays: PyTree) -> T:
    """Compute `function(*arrays)` with arguments and results in memory, fused with nothing else.

    XLA recomputes a cheap value in every place that reads it. A value that is read at many shifted
    places, as by a convolution, is then computed many times, and on a CPU a
    `lax.optimization_barrier` is removed before XLA decides on this. A call that is not inlined
    stays; an XLA without the attribute "inlineable" would only be slower.
    """

    def inside(*arrays: PyTree) -> T:
        with set_xla_metadata(inlineable="true"):
            return function(*arrays)

    with set_xla_metadata(inlineable="false"):
        result: T = jax.jit(inside)(*arrays)
        return result
