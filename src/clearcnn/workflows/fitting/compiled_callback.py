"""A callback that says when a training's program is compiled. Importing this loads Keras."""

from collections.abc import Callable

from clearcnn.training import LogReader
from clearcnn.types import Logs


class CompiledCallback(LogReader):
    """Call a function when the program is compiled and the first epoch begins.

    Args:
      on_compiled: the function.
    """

    def __init__(self, on_compiled: Callable[[], None]) -> None:
        super().__init__()
        self._on_compiled = on_compiled

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Called when `fit` has compiled its program."""
        self._on_compiled()
