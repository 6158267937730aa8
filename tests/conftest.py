"""For all tests: compiled programs are kept in the checkout, and Ctrl-C is Python's own.

A second run of the tests is quick, since it finds its programs. A shell that starts the tests in
the background has them ignore SIGINT, and so everything they start.
"""

import os
import signal
from pathlib import Path

CACHE = Path(__file__).parents[1] / ".cache" / "programs"

os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
signal.signal(signal.SIGINT, signal.default_int_handler)
