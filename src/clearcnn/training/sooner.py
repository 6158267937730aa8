"""Programs that are compiled sooner, where someone waits for the first epoch of a small training.

XLA makes a kernel of its own of each of a hundred small operations, and optimises each. Its older
emitters put many of them into one, and LLVM can be told to optimise little or nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax

_level: ContextVar[int | None] = ContextVar("level", default=None)


@contextmanager
def compile_sooner(level: int) -> Iterator[None]:
    """Have the trainings inside use programs that are compiled sooner.

    Measured on 2 cores for the digits: the lesson's network takes 1.4 s to compile as usual and
    3 ms an epoch, 0.8 s and 3 ms at level 1, 0.25 s and 13 ms at level 0; the default recipe's
    3.2 s and 47 ms, 1.4 s and 45 ms, 0.5 s and 260 ms.

    Args:
      level: how much LLVM optimises, 0 (nothing) to 3 (as usual).
    """
    token = _level.set(level)
    try:
        yield
    finally:
        _level.reset(token)


def chosen_level() -> int | None:
    """Give the level that holds here; None is XLA's own way."""
    return _level.get()


def compile_lowered(lowered: Any) -> Any:
    """Compile what JAX has lowered, in the way that holds here."""
    if (level := _level.get()) is None:
        return lowered.compile()
    options = {"xla_backend_optimization_level": level, "xla_cpu_use_fusion_emitters": False}
    try:
        return lowered.compile(compiler_options=options)
    except jax.errors.JaxRuntimeError as error:
        # An XLA without these options still compiles, in its own time.
        if "No such compile option" not in str(error):
            raise
        return lowered.compile()
