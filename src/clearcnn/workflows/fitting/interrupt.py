"""Ctrl-C, heard where it does no harm."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def first_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at the first Ctrl-C, in place of KeyboardInterrupt; a second one raises it.

    A KeyboardInterrupt strikes anywhere, also between a model's weights and what is noted of
    them. Nothing changes outside the main thread, where Python hears no signals, and where
    somebody has settled already what Ctrl-C does.

    Args:
      stop: what to do; it may raise KeyboardInterrupt.
    """
    usual = signal.default_int_handler
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGINT) is not usual:
        yield
        return

    def hear(*_: Any) -> None:
        signal.signal(signal.SIGINT, usual)
        stop()

    signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
