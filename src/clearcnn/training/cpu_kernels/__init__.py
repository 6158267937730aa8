"""CPU forms: the same arithmetic, in shapes XLA compiles well on a CPU.

XLA's CPU convolutions and window reductions are slow inside a loop, and their gradients slower.
`rewrite` traces a function and replaces those primitives, one by one, by forms made of slices,
matrix products and elementwise operations; a case no form covers keeps the plain primitive.
`loss_in_cpu_forms` does so for a Keras model's loss, and walks large batches in micro-batches.
"""

from clearcnn.training.cpu_kernels.jaxpr_rewrite import rewrite
from clearcnn.training.cpu_kernels.loss import loss_in_cpu_forms

__all__ = ["loss_in_cpu_forms", "rewrite"]
