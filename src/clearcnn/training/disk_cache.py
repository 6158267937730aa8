"""Programs on disk, shared by processes: compiled ones in JAX's cache, and traces beside them.

Compiling takes longer than training a small model; the second `clearcnn train` of a kind finds
its program on disk. JAX's persistent cache checks keys, drops what was used longest ago, and locks
the folder.

JAX looks a program up by its trace, so its cache saves compiling but not tracing, which then is
most of the wait: 0.67 of 0.81 s for the digits' tutorial, 1.9 of 2.4 s for the default recipe
(2 cores; 0.04 and 0.08 s with the trace kept). So traces are kept too, as StableHLO by
`jax.export`, under a hash of everything they depend on. That is done only in processes of our own:
in a user's process, Keras's functions may have been replaced, which no configuration shows.
"""

import hashlib
import os
import re
from contextlib import suppress
from functools import cache
from pathlib import Path

import jax
import keras
from jax import export

from clearcnn import backend
from clearcnn.cache import LARGEST_BYTES, programs_folder, repair
from clearcnn.checkpoints import write_whole
from clearcnn.training.cpu_kernels.direct import TARGETS, register
from clearcnn.training.devices import is_spread
from clearcnn.types import PyTree

_FOLDER = "traces"
_MOST = 200
_NAME = re.compile("[0-9a-f]{64}")
_DIGEST = hashlib.sha256().digest_size
# JAX promises no compatibility of custom calls that it does not know. Every process that reads a
# trace has ours: `_describe_process` includes them.
_OUR_CALLS = [export.DisabledSafetyCheck.custom_call(target) for target in TARGETS]


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


def lower(
    program: jax.stages.Wrapped, arguments: tuple[PyTree, ...], origin: object
) -> jax.stages.Lowered:
    """Lower a jitted function, from a kept trace if there is one.

    Args:
      program: as returned by `jax.jit`.
      arguments: the program's arguments, as arrays of the right shapes.
      origin: everything that the program is made from; where its `repr` is equal, programs are.
    """
    folder = _find_folder()
    if folder is None:
        return program.lower(*arguments)
    path = folder / hashlib.sha256(f"{origin!r}\n{_describe_process()}".encode()).hexdigest()
    exported = _read(path)
    if exported is None:
        try:
            exported = export.export(program, disabled_checks=_OUR_CALLS)(*arguments)
            trace = bytes(exported.serialize())
        except ValueError:  # It has an operation that JAX does not promise to read again.
            return program.lower(*arguments)
        _write(path, trace)
    # New traces go through `exported` too, so that JAX's key is the same with a kept trace.
    return jax.jit(exported.call).lower(*arguments)


def _find_folder() -> Path | None:
    """Return the folder of traces, or None if none are kept."""
    programs = jax.config.values["jax_compilation_cache_dir"]
    enabled = jax.config.values["jax_enable_compilation_cache"]
    if not (backend.is_own_process() and programs and enabled) or is_spread():
        return None
    folder = Path(programs, _FOLDER)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def _describe_process() -> str:
    """Return what a trace depends on beside the model: code, settings and machine."""
    settings = {
        name: value for name, value in jax.config.values.items() if not name.endswith("_dir")
    }
    versions = jax.__version__, keras.__version__
    of_keras = (
        keras.config.floatx(),
        keras.config.epsilon(),
        keras.config.image_data_format(),
        keras.config.dtype_policy().name,
    )
    machine = jax.default_backend(), os.cpu_count(), register()
    return repr((_hash_sources(), versions, of_keras, machine, sorted(settings.items())))


@cache
def _hash_sources() -> str:
    """SHA-256 of the code that is traced, which may change without a new version."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> export.Exported | None:
    """Return the trace, or None if it is missing or damaged."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, trace = content[:_DIGEST], content[_DIGEST:]
    if hashlib.sha256(trace).digest() != digest:
        return None
    with suppress(OSError):
        os.utime(path)  # The time of its last use.
    return export.deserialize(bytearray(trace))


def _write(path: Path, trace: bytes) -> None:
    """Keep a trace, and delete those used longest ago. On a full disk, do nothing."""
    with suppress(OSError):
        write_whole(path, hashlib.sha256(trace).digest() + trace)
        own = (each for each in path.parent.iterdir() if _NAME.fullmatch(each.name))
        kept = sorted(own, key=lambda each: each.stat().st_mtime)
        for oldest in kept[:-_MOST]:
            oldest.unlink(missing_ok=True)
