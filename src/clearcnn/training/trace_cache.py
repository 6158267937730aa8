"""Traced programs are kept between processes, beside the compiled ones.

JAX's own cache is asked with a traced program, so it spares compiling but not tracing, which then
is most of the wait: 0.67 of 0.81 s for the digits' tutorial, 1.9 of 2.4 s for the default recipe
(2 cores; 0.04 and 0.08 s with the trace kept). Here a trace is kept, as StableHLO by `jax.export`,
under all that it was made from.

Only in processes of our own: what a user's has put in the place of Keras's functions does not
show in a model's configuration.
"""

import hashlib
import os
import re
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import jax
import keras
from jax import export

from clearcnn import backend
from clearcnn.checkpoints import write_whole
from clearcnn.training.devices import is_spread

_FOLDER = "traces"
_MOST = 200
_NAME = re.compile("[0-9a-f]{64}")
_DIGEST = hashlib.sha256().digest_size


def lower(program: Any, arguments: tuple[Any, ...], origin: Any) -> Any:
    """Lower a jitted function, from a trace that is kept if there is one.

    Args:
      program: what `jax.jit` gives.
      arguments: what it will be called with, as arrays of the right shapes.
      origin: whatever the program is made from; where its `repr` is the same, so is the program.
    Returns:
      A `jax.stages.Lowered`.
    """
    folder = _find_folder()
    if folder is None:
        return program.lower(*arguments)
    path = folder / hashlib.sha256(f"{origin!r}\n{_describe_process()}".encode()).hexdigest()
    exported = _read(path)
    if exported is None:
        try:
            exported = export.export(program)(*arguments)
            trace = bytes(exported.serialize())
        except ValueError:  # It has a part that JAX does not promise to read again.
            return program.lower(*arguments)
        _write(path, trace)
    # From a new trace too: so that the compiled program is found again by a kept one.
    return jax.jit(exported.call).lower(*arguments)


def _find_folder() -> Path | None:
    """Give the folder of traces, or None where none are kept."""
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
    """Tell what decides on a trace beside the model: code, settings and machine."""
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
    machine = jax.default_backend(), os.cpu_count()
    return repr((_digest_sources(), versions, of_keras, machine, sorted(settings.items())))


@cache
def _digest_sources() -> str:
    """Tell one state of our own code from another, between versions too."""
    digest = hashlib.sha256()
    for path in sorted(Path(backend.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _read(path: Path) -> Any:
    """Give the trace, or None where there is none that is whole."""
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
    """Keep a trace, and drop what was used longest ago. A full disk keeps nothing."""
    with suppress(OSError):
        write_whole(path, hashlib.sha256(trace).digest() + trace)
        own = (each for each in path.parent.iterdir() if _NAME.fullmatch(each.name))
        kept = sorted(own, key=lambda each: each.stat().st_mtime)
        for oldest in kept[:-_MOST]:
            oldest.unlink(missing_ok=True)
