"""The options with which XLA compiles a program.

On a CPU, XLA computes matrix products with its YNNPACK library. For large ones that is as fast as
Eigen, its other library (products of 1,936×288 by 288×64 and up, within 4 %); for the small ones
of small networks it is slower: 32 µs against 9 for 1,800×9 by 9×10, on 2 cores. So products are
left to Eigen, and sums to YNNPACK, without which training on 28×28 images is 1.4 times as slow. The
digits' tutorial takes 0.30 seconds instead of 0.36.

LLVM is told to optimise little. Convolutions are C++ that was compiled before, and what XLA itself
compiles gains nothing by more: on 2 cores, an epoch of the tutorial takes 2.4 instead of 2.9 ms,
one of the default recipe 29 instead of 30, and compiling is a fifth shorter.

Where someone waits for the first epoch of a small training, a program can be compiled sooner: XLA
makes a hundred small operations into a kernel each, and optimises each. Its older emitters fuse
many of them into one, and LLVM can be told to optimise little or nothing. They are not used
otherwise: the digits' tutorial would compile in 0.9 instead of 1.3 s and run as fast, but an epoch
of the default recipe at 96×96×3 would take 1.4 times as long. Other ways to compile the tutorial
sooner gained nothing: LLVM without its expensive passes (1.2 s), and code split into 4 parts (1.4)
or 1 (1.9) instead of 32.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import jax

from clearcnn.types import Arguments

_CPU_OPTIONS: Arguments = {
    "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE",
    "xla_backend_optimization_level": 1,
}

_level: ContextVar[int | None] = ContextVar("level", default=None)


@contextmanager
def compile_sooner(level: int) -> Iterator[None]:
    """Within this context, compile programs faster, and run them as fast or more slowly.

    Measured on 2 cores for the digits: the tutorial's network takes 1.2 s to compile as usual and
    3 ms an epoch, 0.8 s and 3 ms at level 1, 0.25 s and 13 ms at level 0; the default recipe's
    3.2 s and 47 ms, 1.4 s and 45 ms, 0.5 s and 260 ms.

    Args:
      level: how much LLVM optimises, 0 (nothing) to 3 (much).
    """
    token = _level.set(level)
    try:
        yield
    finally:
        _level.reset(token)


def chosen_level() -> int | None:
    """Return the level of the current context; None outside."""
    return _level.get()


def compile_lowered(lowered: jax.stages.Lowered) -> jax.stages.Compiled:
    """Compile with the options for this machine and context."""
    if jax.default_backend() != "cpu":
        return lowered.compile()
    options: Arguments = dict(_CPU_OPTIONS)
    if (level := _level.get()) is not None:
        options["xla_backend_optimization_level"] = level
        options["xla_cpu_use_fusion_emitters"] = False
    try:
        return lowered.compile(compiler_options=options)
    except jax.errors.JaxRuntimeError as error:
        # These options are experimental; a version of XLA without them compiles by its default.
        if "compile option" not in str(error) and "enum" not in str(error):
            raise
        return lowered.compile()
