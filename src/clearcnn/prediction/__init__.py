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
from clearcnn.prediction.predictor import Predictor

__all__ = [
    "FALSE_ALARM_RATE",
    "FEWEST_IMAGES",
    "Predictor",
    "apply_temperature",
    "find_threshold",
    "is_unlike",
]
