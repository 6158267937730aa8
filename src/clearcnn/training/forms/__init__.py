"""CPU forms: the same arithmetic, in shapes XLA compiles well on a CPU.

XLA's CPU convolutions and window reductions are slow inside a loop, and their gradients slower.
`rewrite` traces a function and replaces those primitives, one by one, by forms made of slices,
matrix products and elementwise operations. A case no form covers keeps the plain primitive.
"""

from clearcnn.training.forms.rewriting import rewrite

__all__ = ["rewrite"]
