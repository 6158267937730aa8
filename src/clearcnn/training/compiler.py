"""How XLA is asked to compile a program.

On a CPU, XLA hands matrix products to its YNNPACK. For large ones that is as fast as Eigen, its
other library (products of 1,936×288 by 288×64 and up, within 4 %); for the small ones of small
networks it is slower: 32 µs against 9 for 1,800×9 by 9×10, on 2 cores. So products are left to
Eigen, and sums to YNNPACK, without which training on 28×28 images is 1.4 times as slow. The digits'
tutorial takes 0.30 seconds in place of 0.36.
"""

from typing import Any

import jax

_CPU_OPTIONS = {"xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_REDUCE"}


def compile_lowered(lowered: Any) -> Any:
    """Compile with the options that suit the machine.

    Args:
      lowered: what `jax.jit(…).lower(…)` gives.
    Returns:
      A `jax.stages.Compiled`.
    """
    if jax.default_backend() != "cpu":
        return lowered.compile()
    try:
        return lowered.compile(compiler_options=_CPU_OPTIONS)
    except jax.errors.JaxRuntimeError as error:
        # The option is XLA's own experiment and may go: then its default is right.
        if "compile option" not in str(error) and "enum" not in str(error):
            raise
        return lowered.compile()
