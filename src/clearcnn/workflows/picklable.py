"""A Keras model inside an object that is pickled."""

import tempfile
from pathlib import Path
from typing import Any

from clearcnn.backend import load_keras

_FILE_NAME = "model.keras"


class PicklableModel:
    """Holds a Keras model; a pickle of it has the bytes of a `.keras` file and no Keras object.

    The model is read from these bytes when it is first asked for. Keras's safe mode is on, so
    reading it runs no code of the file's own.

    Args:
      model: a built `keras.Model`.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self._content: bytes | None = None

    @property
    def model(self) -> Any:
        """The `keras.Model`.

        Raises:
          BackendError: Keras cannot compute in this process.
        """
        keras = load_keras()
        if self._model is None:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder) / _FILE_NAME
                path.write_bytes(self._content or b"")
                self._model = keras.saving.load_model(path)
        return self._model

    def __getstate__(self) -> dict[str, Any]:
        content = self._content if self._model is None else _write(self._model)
        return {"_model": None, "_content": content}


def _write(model: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / _FILE_NAME
        model.save(path)
        return path.read_bytes()
