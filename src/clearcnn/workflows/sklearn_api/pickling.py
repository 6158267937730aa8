"""A Keras model inside an object that is pickled."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcnn import models
from clearcnn.backend import load_keras
from clearcnn.specs import ModelSpec


class PicklableModel:
    """Holds a Keras model; a pickle of it has the layers and the weights, and no Keras object.

    The model is built anew from these when it is first asked for, not compiled.

    Args:
      network: as `models.build_model` builds it.
      spec: its layers.
      shape: (height, width, channels) of an image.
      num_classes: that it tells apart.
    """

    def __init__(
        self, network: Any, spec: ModelSpec, shape: tuple[int, int, int], num_classes: int
    ) -> None:
        self._network = network
        self._spec, self._shape, self._num_classes = spec, shape, num_classes
        self._weights: list[NDArray[np.float32]] = []

    @property
    def model(self) -> Any:
        """The `keras.Model`.

        Raises:
          BackendError: Keras cannot compute in this process.
        """
        load_keras()
        if self._network is None:
            self._network = models.build_model(self._spec, self._shape, self._num_classes, seed=0)
            self._network.set_weights(self._weights)
        return self._network

    def __getstate__(self) -> dict[str, Any]:
        weights = self._weights if self._network is None else self._network.get_weights()
        return {**self.__dict__, "_network": None, "_weights": weights}
