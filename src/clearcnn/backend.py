"""Keras on JAX: selected before Keras is imported, checked whenever Keras is used."""

import importlib
import os
import sys
from types import ModuleType

from clearcnn.errors import BackendError
from clearcnn.fork_guard import raise_if_forked
from clearcnn.language import say

# Keras takes these to be missing: it uses them only for its plots, wrappers and RemoteMonitor.
_ABSENT = ("matplotlib", "requests", "sklearn")
# Keras and JAX import these at once, but use them only for attention on a TPU and sparse solvers.
_ATTENTION = "jax.experimental.pallas.ops.tpu.splash_attention"
_DEFERRED = (
    _ATTENTION,
    f"{_ATTENTION}.splash_attention_kernel",
    f"{_ATTENTION}.splash_attention_mask",
    "scipy.sparse",
    "scipy.sparse.linalg",
)
_is_own_process = False


def prefer_jax() -> None:
    """Select JAX as Keras's backend, unless the user has selected one or Keras is imported."""
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "jax")


def load_keras() -> ModuleType:
    """Import Keras and check that it runs on JAX.

    Returns:
      The `keras` module.
    Raises:
      BackendError: Keras is already imported with another backend, or KERAS_BACKEND names one; or
        this process was forked after JAX had started to compute.
    """
    raise_if_forked()
    prefer_jax()
    wanted = os.environ.get("KERAS_BACKEND")
    if "keras" not in sys.modules and wanted != "jax":
        raise BackendError(
            say("KERAS_BACKEND is {wanted!r}; clearcnn requires Keras on JAX.", wanted=wanted),
            remedy=say("Unset it, or set KERAS_BACKEND=jax."),
        )
    keras = _import_keras()
    if keras.backend.backend() != "jax":
        raise BackendError(
            say(
                "Keras is already imported with the {backend!r} backend; clearcnn requires "
                "Keras on JAX.",
                backend=keras.backend.backend(),
            ),
            remedy=say(
                "Import clearcnn before keras, or set KERAS_BACKEND=jax before Python starts."
            ),
        )
    return keras


def own_process() -> None:
    """Declare that only clearcnn's code runs in this process, as in the command line.

    Then `load_keras` imports Keras without what our models never use, which takes more than half of
    the import time. In a user's process Keras is imported completely. Also, nobody else can have
    changed Keras's functions.
    """
    global _is_own_process
    _is_own_process = True


def is_own_process() -> bool:
    """Return whether `own_process` was called."""
    return _is_own_process


def _import_keras() -> ModuleType:
    own = _is_own_process and "keras" not in sys.modules
    hidden = [name for name in _ABSENT + _DEFERRED if own and name not in sys.modules]
    for name in hidden:
        # None in sys.modules makes a module look absent.
        sys.modules[name] = _Deferred(name) if name in _DEFERRED else None  # type: ignore[assignment]
        parent = sys.modules.get(name.rpartition(".")[0])
        if isinstance(parent, _Deferred):
            setattr(parent, name.rpartition(".")[2], sys.modules[name])
    try:
        return importlib.import_module("keras")
    finally:
        for name in hidden:
            del sys.modules[name]


class _Deferred(ModuleType):
    """Stands for a module while Keras is imported; its first use imports the module."""

    def __getattr__(self, name: str) -> object:
        if sys.modules.get(self.__name__) is self:
            raise AttributeError(name)
        return getattr(importlib.import_module(self.__name__), name)
