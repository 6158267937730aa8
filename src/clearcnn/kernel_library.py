"""The compiled CPU kernels: whether they are here, and which run on this processor.

They are built from `training/cpu_kernels/native/` when clearcnn is installed, where there is a C++
compiler. Without them everything works, in forms that XLA compiles.
"""

import ctypes
import os
from functools import cache
from pathlib import Path

LIBRARY = Path(__file__).parent / "training" / "cpu_kernels" / "native" / "libclearcnn_kernels.so"
VARIABLE = "CLEARCNN_KERNELS"


@cache
def open_library() -> ctypes.CDLL | None:
    """Open the library; None where there is none for this processor or it is switched off."""
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
    """Say in one line which kernels run, and what it costs if none do."""
    library = open_library()
    if library is not None:
        return f"CPU kernels: compiled, {library.clearcnn_level().decode().replace('_', '-')}"
    if os.environ.get(VARIABLE) == "off":
        why = f"switched off by {VARIABLE}"
    elif LIBRARY.is_file():
        why = "not for this processor"
    else:
        why = "none; install a C++ compiler, then clearcnn again"
    return f"CPU kernels: {why}. Training works, at half the speed or less from 32 pixels on"
