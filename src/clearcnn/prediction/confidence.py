"""How sure an answer is."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

# float32's resolution, as where the temperature is fitted: zero has no logarithm.
_SMALLEST = float(np.finfo(np.float32).eps)


def apply_temperature(probabilities: ArrayLike, temperature: float) -> NDArray[np.float32]:
    """Give the probabilities at a temperature.

    Args:
      probabilities: (n, num_classes) float, rows summing to 1.
      temperature: > 0; above 1 makes the answers less sure, 1 changes nothing.
    Returns:
      (n, num_classes) float32, rows summing to 1; the order of classes stays.
    Source: Guo et al. 2017, ICML.
    """
    chances = np.asarray(probabilities, np.float64)
    if temperature != 1:
        logits = np.log(np.maximum(chances, _SMALLEST)) / temperature
        chances = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances /= chances.sum(axis=1, keepdims=True)
    return chances.astype(np.float32)
