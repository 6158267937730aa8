"""Answers of a trained network, by ONNX Runtime alone: quick to start, and small.

Nothing here loads Keras, JAX, scikit-learn or SciPy.
"""

from clearcnn.prediction.confidence import (
    FALSE_ALARM_RATE,
    FEWEST_IMAGES,
    apply_temperature,
    find_threshold,
    is_unlike,
)
from clearcnn.prediction.predictor import BATCH_SIZE, Predictor

__all__ = [
    "BATCH_SIZE",
    "FALSE_ALARM_RATE",
    "FEWEST_IMAGES",
    "Predictor",
    "apply_temperature",
    "find_threshold",
    "is_unlike",
]
