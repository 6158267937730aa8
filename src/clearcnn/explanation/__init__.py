"""How a model came to a prediction: activations, filters, saliency, arithmetic, neighbours.

Importing this loads Keras.
"""

from clearcnn.explanation.activations import Passage, follow, read_filters
from clearcnn.explanation.keras_functions import Network, read_weights
from clearcnn.explanation.neighbours import nearest
from clearcnn.explanation.occlusion import Patch, choose_patch, occlude
from clearcnn.explanation.sanity_check import correlate
from clearcnn.explanation.smoothgrad import smooth_gradient
from clearcnn.explanation.window_arithmetic import convolve_once, pool_once

__all__ = [
    "Network",
    "Passage",
    "Patch",
    "choose_patch",
    "convolve_once",
    "correlate",
    "follow",
    "nearest",
    "occlude",
    "pool_once",
    "read_filters",
    "read_weights",
    "smooth_gradient",
]
