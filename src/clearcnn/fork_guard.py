"""Forked processes, in which JAX cannot compute.

JAX computes in threads, and a fork has none of its parent's: whatever it asks of a JAX that had
begun to compute before the fork waits for ever. So a fork of that kind is noted when it begins, and
in it clearcnn and Keras raise an error where they would wait. A fork made before JAX computes is
as good as any process.
"""

import os
import sys
from typing import Any, NoReturn

from clearcnn.errors import BackendError

# Where a program that uses Keras has to pass by, to build a model or to compute with one.
_DOORS = {
    "Variable": ("__init__",),
    "Layer": ("__call__",),
    "Model": ("fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch"),
}
_is_forked_after_jax = False


def refuse_fork() -> None:
    """Let every process pass but one that was forked after JAX had begun to compute.

    Raises:
      BackendError: this is such a process.
    """
    if _is_forked_after_jax:
        _refuse()


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise BackendError(
        f"Process {os.getpid()} was forked after JAX had begun to compute. A fork has none of "
        "JAX's threads, so Keras would wait for ever.",
        remedy='Start processes with multiprocessing.get_context("spawn"), or with joblib\'s '
        'backend "loky".',
    )


def _note_fork() -> None:
    """In a new fork: find out whether JAX had begun to compute, and close Keras's doors if so."""
    global _is_forked_after_jax
    # JAX's own function for this takes a lock, which the fork may have left locked for ever.
    bridge = sys.modules.get("jax._src.xla_bridge")
    if bridge is None or not getattr(bridge, "_backends", True):
        return
    _is_forked_after_jax = True
    keras = sys.modules.get("keras")
    for name, methods in _DOORS.items():
        for method in methods:
            if hasattr(getattr(keras, name, None), method):
                setattr(getattr(keras, name), method, _refuse)


if hasattr(os, "register_at_fork"):  # Windows cannot fork.
    os.register_at_fork(after_in_child=_note_fork)
