"""Keras on JAX: chosen before Keras loads, checked whenever Keras is used."""

import importlib
import os
import sys
from types import ModuleType

from clearcnn.errors import BackendError
from clearcnn.fork_guard import refuse_fork

_EXTRAS = ("matplotlib", "sklearn")
_is_own_process = False


def prefer_jax() -> None:
    """Name JAX as Keras's backend, unless the user has named one or Keras is loaded."""
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "jax")


def load_keras() -> ModuleType:
    """Import Keras and make sure that it runs on JAX.

    Returns:
      The `keras` module.
    Raises:
      BackendError: Keras is loaded, or asked for by KERAS_BACKEND, with another backend; or this
        process was forked from one in which JAX had computed.
    """
    refuse_fork()
    prefer_jax()
    wanted = os.environ.get("KERAS_BACKEND")
    if "keras" not in sys.modules and wanted != "jax":
        raise BackendError(
            f"KERAS_BACKEND is {wanted!r}; clearcnn trains with Keras on JAX.",
            remedy="Unset it, or set KERAS_BACKEND=jax.",
        )
    keras = _import_keras()
    if keras.backend.backend() != "jax":
        raise BackendError(
            f"Keras is already loaded with the {keras.backend.backend()!r} backend; "
            "clearcnn trains with Keras on JAX.",
            remedy="Import clearcnn before keras, or set KERAS_BACKEND=jax before Python starts.",
        )
    return keras


def own_process() -> None:
    """Say that this process is clearcnn's own: that no other code runs in it.

    Then `load_keras` does without scikit-learn and Matplotlib, which Keras uses for its wrappers
    and galleries and which are half of the time that it takes to load; in a user's process, Keras
    is loaded whole. And what Keras's functions do is known from its version.
    """
    global _is_own_process
    _is_own_process = True


def is_own_process() -> bool:
    """Tell whether `own_process` was called."""
    return _is_own_process


def _import_keras() -> ModuleType:
    hidden = [name for name in _EXTRAS if _is_own_process and name not in sys.modules]
    # Python's own way to say that there is no such module.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        return importlib.import_module("keras")
    finally:
        for name in hidden:
            del sys.modules[name]
