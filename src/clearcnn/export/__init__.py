"""From a trained Keras model to files that other programs run; and proof that they agree.

Nothing here loads Keras; ONNX is loaded when the room is.
"""

from clearcnn.export.inspection import check_onnx
from clearcnn.export.intermediate import convert_to_openvino, run_openvino
from clearcnn.export.onnx_model import DISTANCES_NAME, build_features, build_onnx
from clearcnn.export.parity import LARGEST_DIFFERENCE, check_parity, make_probes, run_onnx
from clearcnn.export.triton import write_triton_repository
from clearcnn.export.weights import read_weights

__all__ = [
    "DISTANCES_NAME",
    "LARGEST_DIFFERENCE",
    "build_features",
    "build_onnx",
    "check_onnx",
    "check_parity",
    "convert_to_openvino",
    "make_probes",
    "read_weights",
    "run_onnx",
    "run_openvino",
    "write_triton_repository",
]
