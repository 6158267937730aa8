"""An ONNX file before anyone executes it: only what this room writes, and no larger."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from clearcnn.errors import ExportError
from clearcnn.export.distances import MOST_WEIGHTS

OPERATORS = {
    "Add",
    "AveragePool",
    "BatchNormalization",
    "Cast",
    "Clip",
    "Concat",
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
    "Sqrt",
    "Tanh",
    "Transpose",
}

_ROOM_BYTES = 2**20 + 4 * MOST_WEIGHTS
# For one image; what models may have is held to these when they are built, too.
_MOST_NODES = 4_096
_MOST_VALUES = 2**24
_MOST_OPERATIONS = 2**36
_FOR_EACH_VALUE = 16  # Memory is slower than arithmetic.


def check_onnx(path: Path, contract: Mapping[str, Any], parameters: int) -> int:
    """Check an ONNX file without executing it.

    Args:
      path: the file.
      contract: the bundle's input contract as JSON values.
      parameters: of the model that was trained.
    Returns:
      The number of values of its largest tensor, for one image.
    Raises:
      ExportError: it is larger than the model can be, is no ONNX, has operators that this room
        does not write, or more of them, keeps weights elsewhere, takes another input than the
        contract says, makes a tensor of unknown or more than 2²⁴ values, or needs more than 2³⁶
        operations for one image.
    """
    most = 4 * parameters + _ROOM_BYTES
    if path.stat().st_size > most:
        raise _strange(path, f"it is larger than the {most:,} bytes its model needs")
    try:
        model = onnx.load_model(str(path), load_external_data=False)
    except Exception as error:  # Whatever protobuf has for bytes that are no message.
        raise _strange(path, "it is no ONNX file") from error
    graph = model.graph
    if len(graph.node) > _MOST_NODES:
        raise _strange(path, f"it has {len(graph.node):,} operators")
    # What is no Unicode, protobuf gives as bytes.
    foreign = {
        str(node.op_type)[:40]
        for node in graph.node
        if node.domain or node.op_type not in OPERATORS
    }
    if foreign:
        raise _strange(path, f"it has the operators {', '.join(sorted(foreign)[:8])}")
    if model.functions or graph.sparse_initializer:
        raise _strange(path, "it has functions or sparse weights")
    if any(tensor.data_location or tensor.external_data for tensor in graph.initializer):
        raise _strange(path, "it keeps weights in other files")
    inputs = [_read_shape(value)[1:] for value in graph.input]
    if inputs != [tuple(contract["shape"])]:
        raise _strange(path, f"its inputs are {inputs[:4]}, not {tuple(contract['shape'])}")
    return _check_sizes(path, model)


def _check_sizes(path: Path, model: onnx.ModelProto) -> int:
    batch = model.graph.input[0].type.tensor_type.shape.dim[0].dim_param
    if not batch:
        raise _strange(path, "its input has no batch of any size")
    # What a file says of its own tensors would be believed where it cannot be worked out.
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    try:
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except Exception as error:  # InferenceError, and others for what is no graph.
        raise _strange(path, "its shapes cannot be") from error
    values = [*inferred.graph.value_info, *inferred.graph.output]
    values += model.graph.input
    shapes = {value.name: _read_shape(value) for value in values}
    batches = {value.name for value in values if _has_batch(value, batch)}
    shapes |= {tensor.name: tuple(tensor.dims) for tensor in model.graph.initializer}
    largest, operations = math.prod(shapes[model.graph.input[0].name][1:]), 0
    for node in model.graph.node:
        for name in node.output:
            shape = shapes.get(name)
            if shape and shape[0] < 1 and name not in batches:
                raise _strange(path, f"its tensor {str(name)[:100]!r} has another batch")
            # Only the batch may be unknown; what is made of weights alone has none.
            size = 0 if shape is None else math.prod(max(side, 0) for side in shape[1:])
            size *= max(1, shape[0]) if shape else 1
            if not 1 <= size <= _MOST_VALUES:
                raise _strange(path, f"its tensor {str(name)[:100]!r} has the shape {shape}")
            largest = max(largest, size)
            operations += size * (_FOR_EACH_VALUE + _count_operations(node, shapes))
    if operations > _MOST_OPERATIONS:
        raise _strange(path, f"it needs {operations:,} operations for one image")
    return largest


def _count_operations(node: onnx.NodeProto, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """How many input values one value of a node's output is made of, at most."""
    weights = shapes.get(node.input[1], ()) if len(node.input) > 1 else ()
    if node.op_type in ("MatMul", "Gemm"):
        return max(weights, default=1)
    kernels = [each.ints for each in node.attribute if each.name == "kernel_shape"]
    taken = weights[1:] if node.op_type == "Conv" else next(iter(kernels), ())
    return math.prod(max(side, 1) for side in taken)


def _has_batch(value: onnx.ValueInfoProto, batch: str) -> bool:
    """Whether there are as many of a tensor as images: not more, as padding would make of them."""
    dims = value.type.tensor_type.shape.dim
    return bool(dims) and dims[0].dim_param == batch


def _read_shape(value: onnx.ValueInfoProto) -> tuple[int, ...]:
    """The shape; 0 stands for what is not known."""
    return tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)


def _strange(path: Path, what: str) -> ExportError:
    return ExportError(
        f"{path} is not as clearcnn writes it: {what}.",
        remedy="Restore it from a copy, or train again.",
    )
