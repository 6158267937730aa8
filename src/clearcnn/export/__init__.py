"""From a trained Keras model to files that other programs run; and proof that they agree.

Nothing here loads Keras; ONNX is loaded when the room is.
"""

from clearcnn.export.onnx_model import build_onnx
from clearcnn.export.parity import LARGEST_DIFFERENCE, check_parity, make_probes, run_onnx

__all__ = ["LARGEST_DIFFERENCE", "build_onnx", "check_parity", "make_probes", "run_onnx"]
