"""Compiled programs in memory, for models that can share them.

Tracing and compiling take longer than training a small model; a second fit of a similar model in
one process reuses the program. A program takes some megabytes, and each number of samples needs
its own, so only the most recently used are kept.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock

import jax
import keras

from clearcnn.training import disk_cache
from clearcnn.training.program import compile_epochs
from clearcnn.training.program_sizes import ProgramSizes
from clearcnn.training.xla_options import chosen_level, compile_lowered
from clearcnn.types import PyTree

_MOST_PROGRAMS = 8
_programs: OrderedDict[Hashable, Future[jax.stages.Compiled]] = OrderedDict()
_lock = Lock()


def obtain_program(
    model: keras.Model,
    fingerprint: str | None,
    sizes: ProgramSizes,
    arguments: tuple[PyTree, ...],
) -> jax.stages.Compiled:
    """Return the compiled program of a fit, from the cache if it is there.

    Args:
      model: a compiled and built `keras.Model`.
      fingerprint: its `fingerprint_program`; None if it shares no program.
      sizes: static.
      arguments: the program's arguments, as arrays of the right shapes.
    Returns:
      What `compile_epochs` returns, compiled for these shapes.
    """
    kind = None if fingerprint is None else (fingerprint, sizes)
    return obtain_shared(lambda: compile_epochs(model, sizes), kind, arguments)


def obtain_shared(
    make: Callable[[], jax.stages.Wrapped], kind: Hashable | None, arguments: tuple[PyTree, ...]
) -> jax.stages.Compiled:
    """Return a compiled program, from the cache if it is there.

    A thread that needs a program which another thread is compiling waits for it.

    Args:
      make: returns what `jax.jit` returns; called only if the program is not in the cache.
      kind: everything that the program is made from, except the shapes of its arguments; None if
        that is not known, so that it cannot be shared.
      arguments: its arguments, as arrays of the right shapes.
    """
    if kind is None:
        return compile_lowered(make().lower(*arguments))
    shapes = [(a.shape, str(a.dtype)) for a in jax.tree.leaves(arguments)]
    origin = (kind, str(jax.tree.structure(arguments)), tuple(shapes))
    key = (origin, chosen_level())
    with _lock:
        known = _programs.get(key)
        if known is not None:
            _programs.move_to_end(key)
        else:
            compiled: Future[jax.stages.Compiled] = Future()
            _programs[key] = compiled
            while len(_programs) > _MOST_PROGRAMS:
                _programs.popitem(last=False)
    if known is not None:
        return known.result()
    try:
        compiled.set_result(compile_lowered(disk_cache.lower(make(), arguments, origin)))
    except BaseException as error:
        # Waiting threads get the error too; later calls try again.
        compiled.set_exception(error)
        with _lock:
            _programs.pop(key, None)
        raise
    return compiled.result()
