"""Import libraries in a thread while a compiled program trains.

The program runs without Python, so on two cores the imports cost nothing: half a second of the
2.9 that a second `clearcnn train --recipe tutorial` would take without it.
"""

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Thread

from clearcnn.backend import is_own_process


@contextmanager
def import_meanwhile(modules: Sequence[str]) -> Iterator[None]:
    """Import modules while the context lasts, and wait for them at its end.

    A module that cannot be imported raises where it is used. In a user's process nothing is
    imported, since its own threads may be importing the same modules.

    Args:
      modules: full names, which the context itself does not import.
    """
    if not is_own_process() or not modules:
        yield
        return
    thread = Thread(target=_import, args=(modules,), name="clearcnn imports")
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _import(modules: Sequence[str]) -> None:
    for module in modules:
        with suppress(Exception):
            importlib.import_module(module)
