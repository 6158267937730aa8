"""Temperature scaling: probabilities made more or less confident."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

# float32's resolution, as in the loss; the logarithm of 0 is undefined.
_SMALLEST = float(np.finfo(np.float32).eps)


def apply_temperature(probabilities: ArrayLike, temperature: float) -> NDArray[np.floating]:
    """Scale probabilities by a temperature: softmax(log(p) / temperature).

    Args:
      probabilities: (n, num_classes) float, rows summing to 1.
      temperature: > 0; above 1 lowers the confidence, 1 changes nothing.
    Returns:
      (n, num_classes) of the same dtype, rows summing to 1; the ranking of classes is unchanged.
    Source: Guo et al. 2017, ICML.
    """
    given = np.asarray(probabilities)
    if temperature == 1:
        return given
    logits = np.log(np.maximum(given.astype(np.float64), _SMALLEST)) / temperature
    scaled = np.exp(logits - logits.max(axis=1, keepdims=True))
    scaled /= scaled.sum(axis=1, keepdims=True)
    result: NDArray[np.floating] = scaled.astype(np.result_type(given.dtype, np.float32))
    return result
