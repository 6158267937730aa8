"""The values of one layer of a network, by ONNX Runtime."""

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from clearcnn.prediction.predictor import open_session
from clearcnn.types import Array


class LayerOutput:
    """What one layer of an ONNX model with layer outputs computes.

    Args:
      model: the bytes of `model_layers.onnx`, already checked.
      layer: the name of the layer.
    Raises:
      PredictionError: the bytes are not a valid model.
    """

    def __init__(self, model: bytes, layer: str) -> None:
        self._session: onnxruntime.InferenceSession = open_session(model)
        self._input = self._session.get_inputs()[0].name
        self._layer = layer

    def compute(self, images: Array) -> NDArray[np.float32]:
        """Compute the layer's values, (n, num_values) float32.

        Args:
          images: (n, height, width, channels) of the model's shape and dtype.
        """
        (values,) = self._session.run([self._layer], {self._input: images})
        found: NDArray[np.float32] = np.asarray(values, np.float32).reshape(len(images), -1)
        return found
