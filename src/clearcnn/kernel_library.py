"""The compiled CPU kernels: whether they are installed, and which run on this processor.

They are built from `training/cpu_kernels/native/` when clearcnn is installed and a C++ compiler is
available. Without them, XLA compiles all operations.
"""

import ctypes
import os
from functools import cache
from pathlib import Path

from clearcnn.language import say

LIBRARY = Path(__file__).parent / "training" / "cpu_kernels" / "native" / "libclearcnn_kernels.so"
VARIABLE = "CLEARCNN_KERNELS"


@cache
def open_library() -> ctypes.CDLL | None:
    """Open the library; None if there is none for this processor, or it is switched off."""
    if os.environ.get(VARIABLE) == "off" or not LIBRARY.is_file():
        return None
    try:
        library = ctypes.CDLL(str(LIBRARY))
        level = library.clearcnn_level
    except (OSError, AttributeError):  # Built for another system, or damaged.
        return None
    level.restype = ctypes.c_char_p
    return library if level() else None


def describe_kernels() -> str:
    """Describe in one line which kernels run, and the cost of having none."""
    library = open_library()
    if library is not None:
        return say(
            "CPU kernels: compiled, {instructions}",
            instructions=library.clearcnn_level().decode().replace("_", "-"),
        )
    if os.environ.get(VARIABLE) == "off":
        why = say("switched off by {variable}", variable=VARIABLE)
    elif LIBRARY.is_file():
        why = say("not for this processor")
    else:
        why = say("none; install a C++ compiler, then clearcnn again")
    return say("CPU kernels: {why}. Training works, but takes up to 2.5 times as long", why=why)
