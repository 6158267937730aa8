"""How XLA is asked to compile a program.

On a CPU, XLA hands matrix products to its YNNPACK. For large ones that is as fast as Eigen, its
other library (products of 1,936×288 by 288×64 and up, within 4 %); for the small ones of small
networks it is slower: 32 µs against 9 for 1,800×9 by 9×10, on 2 cores. So products are left to
Eigen, and sums to YNNPACK, without which training on 28×28 images is 1.4 times as slow. The digits'
tutorial takes 0.30 seconds in place of 0.36.

Where someone waits for the first epoch of a small training, a program can be compiled sooner: XLA
makes a kernel of its own of each of a hundred small operations, and optimises each. Its older
emitters put many of them into one, and LLVM can be told to optimise little or nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import jax

_CPU_OPTIONS = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"}

_level: ContextVar[int | None] = ContextVar("level", default=None)


@contextmanager
def compile_sooner(level: int) -> Iterator[None]:
    """Have the trainings inside use programs that are compiled sooner.

    Measured on 2 cores for the digits: the lesson's network takes 1.2 s to compile as usual and
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
    """Compile with the options that suit the machine, in the way that holds here.

    Args:
      lowered: what `jax.jit(…).lower(…)` gives.
    Returns:
      A `jax.stages.Compiled`.
    """
    if jax.default_backend() != "cpu":
        return lowered.compile()
    options: dict[str, Any] = dict(_CPU_OPTIONS)
    if (level := _level.get()) is not None:
        options["xla_backend_optimization_level"] = level
        options["xla_cpu_use_fusion_emitters"] = False
    try:
        return lowered.compile(compiler_options=options)
    except jax.errors.JaxRuntimeError as error:
        # These are XLA's own experiments and may go: then its default is right.
        if "compile option" not in str(error) and "enum" not in str(error):
            raise
        return lowered.compile()
