"""Keras on JAX: chosen before Keras loads, checked whenever Keras is used."""

import importlib
import os
import sys
from types import ModuleType

from clearcnn.errors import BackendError

_EXTRAS = ("matplotlib", "sklearn")
_skips_extras = False


def prefer_jax() -> None:
    """Name JAX as Keras's backend, unless the user has named one or Keras is loaded."""
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "jax")


def load_keras() -> ModuleType:
    """Import Keras and make sure that it runs on JAX.

    Returns:
      The `keras` module.
    Raises:
      BackendError: Keras is loaded, or asked for by KERAS_BACKEND, with another backend.
    """
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


def skip_extras() -> None:
    """Have `load_keras` do without what Keras only uses where it is installed.

    scikit-learn, for its wrappers, and Matplotlib, for its galleries, are half of the time that
    Keras takes to load. For a process of our own, which uses neither; in a user's, Keras is
    loaded whole.
    """
    global _skips_extras
    _skips_extras = True


def _import_keras() -> ModuleType:
    hidden = [name for name in _EXTRAS if _skips_extras and name not in sys.modules]
    # Python's own way to say that there is no such module.
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        return importlib.import_module("keras")
    finally:
        for name in hidden:
            del sys.modules[name]
