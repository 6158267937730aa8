"""Keras on JAX: chosen before Keras loads, checked whenever Keras is used."""

import importlib
import os
import sys
from types import ModuleType

from clearcnn.errors import BackendError


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
    keras = importlib.import_module("keras")
    if keras.backend.backend() != "jax":
        raise BackendError(
            f"Keras is already loaded with the {keras.backend.backend()!r} backend; "
            "clearcnn trains with Keras on JAX.",
            remedy="Import clearcnn before keras, or set KERAS_BACKEND=jax before Python starts.",
        )
    return keras
