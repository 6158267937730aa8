"""The weights that an ONNX file of this room holds, by layer."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper


def read_weights(path: Path) -> dict[str, NDArray[np.float32]]:
    """Read every weight and constant of an ONNX file that `build_onnx` made.

    Args:
      path: of the file, which has been checked.
    Returns:
      Float32 arrays by "layer/name", such as "conv2d_1/kernel". Kernels of convolutions are
      (outputs, inputs, rows, columns), those of Dense (inputs, outputs).
    """
    graph = onnx.load_model(str(path), load_external_data=False).graph
    found = {}
    for tensor in graph.initializer:
        # The names end in a number that makes them unique in the graph.
        name = tensor.name.rpartition("_")[0]
        found[name] = np.ascontiguousarray(numpy_helper.to_array(tensor), np.float32)
    return found
