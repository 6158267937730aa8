"""Conversion of an ONNX file to OpenVINO's intermediate representation, and its execution."""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from clearcnn.errors import MissingExtraError
from clearcnn.language import say
from clearcnn.types import Array


def convert_to_openvino(model: Path, folder: Path) -> Path:
    """Write `model.xml` and `model.bin`, with the weights in float32.

    Args:
      model: the ONNX file.
      folder: an existing folder.
    Returns:
      The path of `model.xml`.
    Raises:
      MissingExtraError: OpenVINO is not installed.
    """
    openvino = _load_openvino()
    path = folder / "model.xml"
    read = openvino.Core().read_model(str(model))
    openvino.save_model(read, str(path), compress_to_fp16=False)
    return path


def run_openvino(model: Path, images: Array) -> Array:
    """Execute a model on the CPU in float32.

    By default OpenVINO uses bfloat16 on CPUs that support it, and then differs by 4e-4.

    Args:
      model: the path of `model.xml`.
      images: (n, height, width, channels) in the dtype of the model's input.
    Returns:
      The probabilities, (n, classes) float32.
    Raises:
      MissingExtraError: OpenVINO is not installed.
    """
    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = _load_openvino().Core().compile_model(str(model), "CPU", hint)
    return np.array(compiled(images)["probabilities"])


def _load_openvino() -> ModuleType:
    # When imported, OpenVINO sends telemetry from a forked process, which may deadlock JAX. None in
    # sys.modules makes the telemetry package look absent, and then OpenVINO sends nothing.
    modules: dict[str, Any] = sys.modules
    reporter = "openvino_telemetry"
    is_silenced = reporter not in modules
    if is_silenced:
        modules[reporter] = None
    try:
        return importlib.import_module("openvino")
    except ImportError as error:
        raise MissingExtraError(
            say("Export to OpenVINO requires the package openvino, which is not installed."),
            remedy=say("Run pip install 'clearcnn[openvino]'."),
        ) from error
    finally:
        if is_silenced:
            del modules[reporter]
