"""How far the reading of a source has come, for whoever waits for it.

A context variable rather than an argument: between `load` and the images lie the readers of all
forms of sources, which have nothing to do with it.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Progress = Callable[[int, int], None]
"""Called with the number of images read so far, and of all images."""

_T = TypeVar("_T")
_LISTENER: ContextVar[Progress | None] = ContextVar("reading_progress", default=None)
_STEP = 64


@contextmanager
def report_reading(listener: Progress | None) -> Iterator[None]:
    """Report the reading of images within a `with` block.

    Args:
      listener: called in the thread of the block, at the start, every 64 images, and at the end.
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)


def count_reading(images: Iterable[_T], total: int) -> Iterator[_T]:
    """Yield what is read, and report how many of `total` there are so far."""
    listener = _LISTENER.get()
    if listener is None or not total:
        yield from images
        return
    listener(0, total)
    for number, image in enumerate(images, 1):
        yield image
        if number % _STEP == 0 or number == total:
            listener(number, total)
