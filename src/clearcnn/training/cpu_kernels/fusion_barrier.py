"""A border that XLA does not fuse across."""

from collections.abc import Callable
from typing import Any

import jax
from jax.experimental.xla_metadata import set_xla_metadata


def apart(function: Callable[..., Any], *arrays: Any) -> Any:
    """Compute `function(*arrays)` from values that are there, and leave values behind.

    XLA computes a cheap value anew in every place that reads it. A value that is read at many
    shifted places, as by a convolution, is then computed many times over, and on a CPU its
    `lax.optimization_barrier` is taken away before that is decided. A call stands; XLA names
    the attribute that keeps it "inlineable", and a version that knew no such name would only be
    slower.
    """

    def inside(*arrays: Any) -> Any:
        with set_xla_metadata(inlineable="true"):
            return function(*arrays)

    with set_xla_metadata(inlineable="false"):
        return jax.jit(inside)(*arrays)
