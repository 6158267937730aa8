"""Compiled programs that are still at hand, for models that can share them.

Tracing and compiling take longer than training a small model; a second fit of an alike model
in one process need not do either again. Each program takes some megabytes, and every other number
of samples needs one of its own, so only the latest few are kept.
"""

from collections import OrderedDict
from concurrent.futures import Future
from threading import Lock
from typing import Any

import jax

from clearcnn.training import trace_cache
from clearcnn.training.identity import identify
from clearcnn.training.program import Plan, compile_epochs
from clearcnn.training.xla_options import chosen_level, compile_lowered

_MOST_PROGRAMS = 8
_programs: OrderedDict[Any, Future[Any]] = OrderedDict()
_lock = Lock()


def obtain_program(model: Any, plan: Plan, arguments: tuple[Any, ...]) -> Any:
    """Give the compiled program of a fit: one at hand, or a new one.

    A thread that needs what another one is compiling waits for it.

    Args:
      model: a compiled and built `keras.Model`.
      plan: the static sizes.
      arguments: what the program will be called with, as arrays of the right shapes.
    Returns:
      A function like `compile_epochs` makes, compiled for these shapes.
    """
    identity = identify(model)
    if identity is None:
        return compile_lowered(compile_epochs(model, plan).lower(*arguments))
    shapes = [(a.shape, str(a.dtype)) for a in jax.tree.leaves(arguments)]
    origin = (identity, plan, str(jax.tree.structure(arguments)), tuple(shapes))
    key = (origin, chosen_level())
    with _lock:
        known = _programs.get(key)
        if known is not None:
            _programs.move_to_end(key)
        else:
            program: Future[Any] = Future()
            _programs[key] = program
            while len(_programs) > _MOST_PROGRAMS:
                _programs.popitem(last=False)
    if known is not None:
        return known.result()
    try:
        lowered = trace_cache.lower(compile_epochs(model, plan), arguments, origin)
        program.set_result(compile_lowered(lowered))
    except BaseException as error:
        # Whoever waits hears it too; whoever comes later tries anew.
        program.set_exception(error)
        with _lock:
            _programs.pop(key, None)
        raise
    return program.result()
