"""Export of a trained Keras model to other formats, each checked against Keras.

Nothing here imports Keras. Importing this package imports ONNX.
"""

from clearcnn.export.network import Layer, Network, make_placeholder, read_network
from clearcnn.export.onnx_model import DISTANCES_NAME, build_features, build_onnx
from clearcnn.export.onnx_reader import limit_bytes, list_weights, read_onnx
from clearcnn.export.openvino_ir import convert_to_openvino, run_openvino
from clearcnn.export.parity import LARGEST_DIFFERENCE, check_parity, make_test_images, run_onnx
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
    "make_test_images",
    "read_network",
    "read_onnx",
    "run_onnx",
    "run_openvino",
    "write_triton_repository",
]
