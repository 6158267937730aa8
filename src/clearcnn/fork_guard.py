"""An error instead of a deadlock in forked processes.

JAX computes in threads, and a forked process has none of its parent's threads: if JAX had started
to
compute before the fork, any computation in the fork waits for ever. So such a fork is detected when
it starts, and in it clearcnn and Keras raise an error. A fork before JAX computes is safe.
"""

import os
import sys
from typing import NoReturn

from clearcnn.errors import BackendError
from clearcnn.language import say

# The methods that every program calls to build a Keras model or to compute with one.
_GUARDED = {
    "Variable": ("__init__",),
    "Layer": ("__call__",),
    "Model": ("fit", "evaluate", "predict", "train_on_batch", "test_on_batch", "predict_on_batch"),
}
_is_forked_after_jax = False


def raise_if_forked() -> None:
    """Raise an error in a process that was forked after JAX had started to compute.

    Raises:
      BackendError: this is such a process.
    """
    if _is_forked_after_jax:
        _raise()


def _raise(*_: object, **__: object) -> NoReturn:
    raise BackendError(
        say(
            "Process {number} was forked after JAX had started to compute. The fork has none of "
            "JAX's threads, so Keras would wait for ever.",
            number=os.getpid(),
        ),
        remedy=say(
            'Start processes with multiprocessing.get_context("spawn"), or with joblib\'s '
            'backend "loky".'
        ),
    )


def _note_fork() -> None:
    """In a new fork: if JAX had started to compute, replace Keras's methods by an error."""
    global _is_forked_after_jax
    # JAX's own function for this takes a lock, which the fork may have left locked for ever.
    bridge = sys.modules.get("jax._src.xla_bridge")
    if bridge is None or not getattr(bridge, "_backends", True):
        return
    _is_forked_after_jax = True
    keras = sys.modules.get("keras")
    for name, methods in _GUARDED.items():
        for method in methods:
            if hasattr(getattr(keras, name, None), method):
                setattr(getattr(keras, name), method, _raise)


if hasattr(os, "register_at_fork"):  # Windows cannot fork.
    os.register_at_fork(after_in_child=_note_fork)
