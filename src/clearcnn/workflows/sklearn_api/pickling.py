"""A Keras model that can be pickled."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearcnn import models
from clearcnn.backend import load_keras
from clearcnn.specs import ModelSpec

if TYPE_CHECKING:
    import keras


class PicklableModel:
    """A Keras model that is pickled as its layers and weights, without Keras objects.

    After unpickling, the model is rebuilt, not compiled, on first use.

    Args:
      network: from `models.build_model`.
      spec: its layers.
      shape: (height, width, channels) of an image.
      num_classes: number of classes.
    """

    def __init__(
        self,
        network: "keras.Sequential",
        spec: ModelSpec,
        shape: tuple[int, int, int],
        num_classes: int,
    ) -> None:
        self._network: keras.Sequential | None = network
        self._spec, self._shape, self._num_classes = spec, shape, num_classes
        self._weights: list[NDArray[np.float32]] = []

    @property
    def model(self) -> "keras.Sequential":
        """The model.

        Raises:
          BackendError: Keras cannot run in this process.
        """
        load_keras()
        if self._network is None:
            self._network = models.build_model(self._spec, self._shape, self._num_classes, seed=0)
            self._network.set_weights(self._weights)
        return self._network

    def __getstate__(self) -> dict[str, object]:
        weights = self._weights if self._network is None else self._network.get_weights()
        return {**self.__dict__, "_network": None, "_weights": weights}
