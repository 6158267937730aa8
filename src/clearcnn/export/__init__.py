"""From a trained Keras model to files that other programs run; and proof that they agree.

Nothing here loads Keras; ONNX is loaded when the room is.
"""

from clearcnn.export.network import Layer, Network, make_placeholder, read_network
from clearcnn.export.onnx_model import DISTANCES_NAME, build_features, build_onnx
from clearcnn.export.onnx_reader import limit_bytes, list_weights, read_onnx
from clearcnn.export.openvino_ir import convert_to_openvino, run_openvino
from clearcnn.export.parity import LARGEST_DIFFERENCE, check_parity, make_probes, run_onnx
from clearcnn.export.triton import write_triton_repository

__all__ = [
    "DISTANCES_NAME",
    "LARGEST_DIFFERENCE",
    "Layer",
    "Network",
    "build_features",
    "build_onnx",
    "check_parity",
    "convert_to_openvino",
    "limit_bytes",
    "list_weights",
    "make_placeholder",
    "make_probes",
    "read_network",
    "read_onnx",
    "run_onnx",
    "run_openvino",
    "write_triton_repository",
]
