"""Compiled programs in memory, for models that can share them.

Tracing and compiling take longer than training a small model; a second fit of a similar model in
one process reuses the program. A program takes some megabytes, and each number of samples needs
its own, so only the most recently used are kept.
"""

from collections import OrderedDict
from collections.abc import Hashable
from concurrent.futures import Future
from threading import Lock

import jax
import keras

from clearcnn.training import disk_cache
from clearcnn.training.fingerprint import fingerprint_program
from clearcnn.training.program import compile_epochs
from clearcnn.training.program_sizes import ProgramSizes
from clearcnn.training.xla_options import chosen_level, compile_lowered
from clearcnn.types import PyTree

_MOST_PROGRAMS = 8
_programs: OrderedDict[Hashable, Future[jax.stages.Compiled]] = OrderedDict()
_lock = Lock()


def obtain_program(
    model: keras.Model, sizes: ProgramSizes, arguments: tuple[PyTree, ...]
) -> jax.stages.Compiled:
    """Return the compiled program of a fit, from the cache if it is there.

    A thread that needs a program which another thread is compiling waits for it.

    Args:
      model: a compiled and built `keras.Model`.
      sizes: static.
      arguments: the program's arguments, as arrays of the right shapes.
    Returns:
      What `compile_epochs` returns, compiled for these shapes.
    """
    fingerprint = fingerprint_program(model)
    if fingerprint is None:
        return compile_lowered(compile_epochs(model, sizes).lower(*arguments))
    shapes = [(a.shape, str(a.dtype)) for a in jax.tree.leaves(arguments)]
    origin = (fingerprint, sizes, str(jax.tree.structure(arguments)), tuple(shapes))
    key = (origin, chosen_level())
    with _lock:
        known = _programs.get(key)
        if known is not None:
            _programs.move_to_end(key)
        else:
            program: Future[jax.stages.Compiled] = Future()
            _programs[key] = program
            while len(_programs) > _MOST_PROGRAMS:
                _programs.popitem(last=False)
    if known is not None:
        return known.result()
    try:
        lowered = disk_cache.lower(compile_epochs(model, sizes), arguments, origin)
        program.set_result(compile_lowered(lowered))
    except BaseException as error:
        # Waiting threads get the error too; later calls try again.
        program.set_exception(error)
        with _lock:
            _programs.pop(key, None)
        raise
    return program.result()
