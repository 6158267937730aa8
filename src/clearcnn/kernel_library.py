"""The compiled CPU kernels: whether they are installed, and which run on this processor.

They are built from `training/cpu_kernels/native/` when clearcnn is installed and a C++ compiler is
available. Without them, XLA compiles all operations. A library that was built from other sources
than those beside it is not used: it may lack a kernel, or read its arguments in another way.
"""

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import NamedTuple

from clearcnn.kernel_stamp import hash_sources
from clearcnn.language import say

SOURCES = Path(__file__).parent / "training" / "cpu_kernels" / "native"
LIBRARY = SOURCES / "libclearcnn_kernels.so"
VARIABLE = "CLEARCNN_KERNELS"


class FoundLibrary(NamedTuple):
    """The library, or in words why there is none."""

    library: ctypes.CDLL | None
    why_not: str = ""


def open_library() -> ctypes.CDLL | None:
    """Open the library; None if none fits this processor and clearcnn, or it is switched off."""
    return find_library().library


def describe_kernels() -> str:
    """Describe in one line which kernels run, and the cost of having none."""
    library, why = find_library()
    if library is not None:
        return say(
            "CPU kernels: compiled, {instructions}",
            instructions=library.clearcnn_level().decode().replace("_", "-"),
        )
    return say("CPU kernels: {why}. Training works, but takes up to 2.5 times as long", why=why)


@cache
def find_library() -> FoundLibrary:
    """Look for a library that can be used, once in a process."""
    if os.environ.get(VARIABLE) == "off":
        return FoundLibrary(None, say("switched off by {variable}", variable=VARIABLE))
    if not LIBRARY.is_file():
        return FoundLibrary(None, say("none; install a C++ compiler, then clearcnn again"))
    try:
        library = ctypes.CDLL(str(LIBRARY))
        level = library.clearcnn_level
        level.restype = ctypes.c_char_p
        is_for_this_processor = bool(level())
    except (OSError, AttributeError):  # Built for another system, or damaged.
        is_for_this_processor = False
    if not is_for_this_processor:
        return FoundLibrary(None, say("not for this processor"))
    if _read_stamp(library) != hash_sources(SOURCES):
        again = say(
            "of another version than this clearcnn; install it again (in a checkout: make train)"
        )
        return FoundLibrary(None, again)
    return FoundLibrary(library)


def _read_stamp(library: ctypes.CDLL) -> str | None:
    try:
        stamp = library.clearcnn_stamp
    except AttributeError:  # Built before there were stamps.
        return None
    stamp.restype = ctypes.c_char_p
    return str(stamp().decode())
