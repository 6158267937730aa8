"""An ONNX file before anyone executes it: only what this room writes, and no larger."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from clearcnn.errors import ExportError

OPERATORS = {
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Clip",
    "Conv",
    "Elu",
    "Erf",
    "Flatten",
    "Gemm",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LeakyRelu",
    "MatMul",
    "MaxPool",
    "Mul",
    "Pad",
    "Relu",
    "Selu",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Softsign",
    "Tanh",
    "Transpose",
}

_ROOM_BYTES = 2**20
_MOST_VALUES = 2**27  # Of one tensor, for one image.


def check_onnx(path: Path, contract: Mapping[str, Any], parameters: int) -> None:
    """Check an ONNX file without executing it.

    Args:
      path: the file.
      contract: the bundle's input contract as JSON values.
      parameters: of the model that was trained.
    Raises:
      ExportError: it is larger than the model can be, is no ONNX, has operators that this room
        does not write, keeps weights elsewhere, takes another input than the contract says, or
        makes a tensor of unknown or more than 2²⁷ values per image.
    """
    most = 4 * parameters + _ROOM_BYTES
    if path.stat().st_size > most:
        raise _strange(path, f"it is larger than the {most:,} bytes its model needs")
    try:
        model = onnx.load_model(str(path), load_external_data=False)
    except Exception as error:  # Whatever protobuf has for bytes that are no message.
        raise _strange(path, "it is no ONNX file") from error
    graph = model.graph
    foreign = {node.op_type for node in graph.node if node.domain or node.op_type not in OPERATORS}
    if foreign:
        raise _strange(path, f"it has the operators {', '.join(sorted(foreign))}")
    if model.functions or graph.sparse_initializer:
        raise _strange(path, "it has functions or sparse weights")
    if any(tensor.data_location or tensor.external_data for tensor in graph.initializer):
        raise _strange(path, "it keeps weights in other files")
    inputs = [_read_shape(value) for value in graph.input]
    if inputs != [tuple(contract["shape"])]:
        raise _strange(path, f"its inputs are {inputs}, not {tuple(contract['shape'])}")
    _check_sizes(path, model)


def _check_sizes(path: Path, model: onnx.ModelProto) -> None:
    try:
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except Exception as error:  # InferenceError, and others for what is no graph.
        raise _strange(path, "its shapes cannot be") from error
    values = [*inferred.graph.value_info, *inferred.graph.output]
    shapes = {value.name: _read_shape(value) for value in values}
    for node in model.graph.node:
        for name in node.output:
            shape = shapes.get(name)
            if shape is None or min(shape, default=1) < 1 or math.prod(shape) > _MOST_VALUES:
                raise _strange(path, f"its tensor {name!r} has the shape {shape}")


def _read_shape(value: onnx.ValueInfoProto) -> tuple[int, ...]:
    """The shape without the batch; 0 stands for what is not known."""
    return tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim[1:])


def _strange(path: Path, what: str) -> ExportError:
    return ExportError(
        f"{path} is not as clearcnn writes it: {what}.",
        remedy="Restore it from a copy, or train again.",
    )
