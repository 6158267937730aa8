"""Compiled programs that are still at hand, for models that can share them.

Tracing and compiling take longer than training a small model; a second fit of an alike model
in one process need not do either again.
"""

from collections import OrderedDict
from threading import Lock
from typing import Any

import jax

from clearcnn.training.identity import identify
from clearcnn.training.program import Plan, compile_epochs

_MOST_PROGRAMS = 32
_programs: OrderedDict[Any, Any] = OrderedDict()
_lock = Lock()


def obtain_program(model: Any, plan: Plan, arguments: tuple[Any, ...]) -> Any:
    """Give the compiled program of a fit: one at hand, or a new one.

    Args:
      model: a compiled and built `keras.Model`.
      plan: the static sizes.
      arguments: what the program will be called with, as arrays of the right shapes.
    Returns:
      A function like `compile_epochs` makes, compiled for these shapes.
    """
    identity = identify(model)
    shapes = [(a.shape, str(a.dtype)) for a in jax.tree.leaves(arguments)]
    key = (identity, plan, str(jax.tree.structure(arguments)), tuple(shapes))
    with _lock:
        if identity is not None and key in _programs:
            _programs.move_to_end(key)
            return _programs[key]
    program = compile_epochs(model, plan).lower(*arguments).compile()
    if identity is not None:
        with _lock:
            _programs[key] = program
            while len(_programs) > _MOST_PROGRAMS:
                _programs.popitem(last=False)
    return program
