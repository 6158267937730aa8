"""Compiled programs are kept between processes, by JAX's own persistent cache.

Compiling takes longer than training a small model; the second `clearcnn train` of a kind finds
its program on disk. JAX checks keys, drops what was used longest ago, and locks the folder.
"""

import os

import jax

from clearcnn.cache import LARGEST_BYTES, programs_folder, repair


def keep_programs() -> None:
    """Turn JAX's cache on in the user's cache folder, unless JAX was configured otherwise.

    `JAX_COMPILATION_CACHE_DIR` chooses another folder, and `JAX_ENABLE_COMPILATION_CACHE=0` none.
    A folder that cannot be written is not used.
    """
    if jax.config.values["jax_compilation_cache_dir"] is not None:
        return
    folder = programs_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK):
        repair(folder)
        jax.config.update("jax_compilation_cache_dir", str(folder))
        jax.config.update("jax_compilation_cache_max_size", LARGEST_BYTES)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
