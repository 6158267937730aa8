"""From a spec to a Keras model; shape and parameter arithmetic.

Nothing here loads Keras before `build_model` is called.
"""

from clearcnn.models.arithmetic import check_output, summarize_model
from clearcnn.models.build import build_model
from clearcnn.models.layers import LAYERS, check_model
from clearcnn.models.model_file import read_model, write_model

__all__ = [
    "LAYERS",
    "build_model",
    "check_model",
    "check_output",
    "read_model",
    "summarize_model",
    "write_model",
]
