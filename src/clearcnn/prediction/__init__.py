"""Predictions of a trained network with ONNX Runtime, which starts quickly.

Nothing here imports Keras, JAX, scikit-learn or SciPy.
"""

from clearcnn.prediction.features import LayerOutput
from clearcnn.prediction.ood import (
    FALSE_ALARM_RATE,
    FEWEST_IMAGES,
    find_threshold,
    is_unlike,
)
from clearcnn.prediction.predictor import BATCH_SIZE, Predictions, Predictor, join_predictions

__all__ = [
    "BATCH_SIZE",
    "FALSE_ALARM_RATE",
    "FEWEST_IMAGES",
    "LayerOutput",
    "Predictions",
    "Predictor",
    "find_threshold",
    "is_unlike",
    "join_predictions",
]
