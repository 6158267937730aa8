"""CPU kernels: the same arithmetic, in C++ or in forms that XLA compiles well on a CPU.

XLA's CPU convolutions and window reductions are slow inside a loop, and their gradients slower.
`rewrite` traces a function and replaces these primitives by calls of compiled kernels (`direct`;
in C++ in `native/`) or by forms made of slices, matrix products and elementwise operations; a case
without either keeps the plain primitive. `loss_in_cpu_forms` does this for a Keras model's loss,
and processes large batches in micro-batches.
"""

from clearcnn.training.cpu_kernels.jaxpr_rewrite import rewrite, rewrite_on_cpu
from clearcnn.training.cpu_kernels.loss import loss_in_cpu_forms

__all__ = ["loss_in_cpu_forms", "rewrite", "rewrite_on_cpu"]
