"""From a spec to a Keras model; shape and parameter arithmetic.

Nothing here loads Keras before `build_model` is called.
"""

from clearcnn.models.arithmetic import summarize_model
from clearcnn.models.build import build_model
from clearcnn.models.layers import LAYERS, check_model
from clearcnn.models.model_file import read_model, write_model
from clearcnn.models.output import check_output

__all__ = [
    "LAYERS",
    "build_model",
    "check_model",
    "check_output",
    "read_model",
    "summarize_model",
    "write_model",
]
