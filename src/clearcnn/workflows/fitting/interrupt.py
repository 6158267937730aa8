"""Ctrl-C during training: the first one calls a function instead of raising."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def first_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at the first Ctrl-C, instead of KeyboardInterrupt; a second one raises it.

    A KeyboardInterrupt may be raised anywhere, even between an update of the weights and that of
    the history. No-op outside the main thread, where Python handles no signals, and if the caller
    has its own handler.

    Args:
      stop: may raise KeyboardInterrupt.
    """
    default = signal.default_int_handler
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not default:
        yield
        return

    def handle(*_: object) -> None:
        signal.signal(signal.SIGINT, default)
        stop()

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, default)
