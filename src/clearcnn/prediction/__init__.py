"""Answers of a trained network, by ONNX Runtime alone: quick to start, and small.

Nothing here loads Keras, JAX, scikit-learn or SciPy.
"""

from clearcnn.prediction.ood import (
    FALSE_ALARM_RATE,
    FEWEST_IMAGES,
    find_threshold,
    is_unlike,
)
from clearcnn.prediction.predictor import BATCH_SIZE, Answers, Predictor, join_answers

__all__ = [
    "BATCH_SIZE",
    "FALSE_ALARM_RATE",
    "FEWEST_IMAGES",
    "Answers",
    "Predictor",
    "find_threshold",
    "is_unlike",
    "join_answers",
]
