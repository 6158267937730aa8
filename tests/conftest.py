"""For all tests: compiled programs are kept in the checkout, so that a second run is quick."""

import os
from pathlib import Path

CACHE = Path(__file__).parents[1] / ".cache" / "programs"

os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(CACHE))
os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
