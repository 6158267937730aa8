"""Functions jitted under a name, by which `cpu_kernels` finds them in a traced function."""

from collections.abc import Callable
from typing import TypeVar

import jax

_Result = TypeVar("_Result")


def jit_by_name(name: str, function: Callable[..., _Result]) -> Callable[..., _Result]:
    """Jit a function; its name in a jaxpr is `name`, whatever it is called in Python."""

    def call(*arrays: jax.Array) -> _Result:
        return function(*arrays)

    call.__name__ = name
    jitted: Callable[..., _Result] = jax.jit(call)
    return jitted
