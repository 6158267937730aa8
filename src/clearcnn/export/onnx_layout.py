"""How the bytes of an ONNX file lie: what is fixed, and where its weights are.

A file is nested messages: a model holds a graph, a graph holds initializers, and each of these ends
in its values. Protobuf writes set fields in the order of their numbers, so that everything but the
values can be worked out without them.
Source: Protocol Buffers, "Encoding"; onnx.proto for the fields' numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper

from clearcnn.export.onnx_graph import Kept

_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9
_LENGTH_DELIMITED = 2


@dataclass(frozen=True)
class Layout:
    """The bytes of a file, but for its weights.

    Attributes:
      fixed: what lies where, (start, bytes).
      weights: where each begins, by its tensor's name.
      num_bytes: of the file.
    """

    fixed: tuple[tuple[int, bytes], ...]
    weights: dict[str, int]
    num_bytes: int

    def fits(self, content: bytes) -> bool:
        """Whether a file differs from this in nothing but its weights."""
        return len(content) == self.num_bytes and all(
            content[start : start + len(piece)] == piece for start, piece in self.fixed
        )


def lay_out(model: onnx.ModelProto, kept: Sequence[Kept]) -> Layout:
    """Work out how a model lies in its file.

    Args:
      model: without initializers.
      kept: these, in their order; what is learned need only have its shape.
    """
    heads = [_begin_tensor(each) for each in kept]
    sizes = [len(head) + each.values.nbytes for head, each in zip(heads, kept, strict=True)]
    heads = [
        _begin_field(_INITIALIZER, size) + head for size, head in zip(sizes, heads, strict=True)
    ]
    graph_before, graph_after = _part(model.graph, _INITIALIZER)
    before, after = _part(model, _GRAPH)
    graph_bytes = len(graph_before) + len(graph_after)
    graph_bytes += sum(
        len(head) + each.values.nbytes for head, each in zip(heads, kept, strict=True)
    )

    fixed, weights, start = [], {}, 0
    piece = before + _begin_field(_GRAPH, graph_bytes) + graph_before
    for head, each in zip(heads, kept, strict=True):
        piece += head
        if not each.is_learned:
            piece += _to_bytes(each)
            continue
        fixed.append((start, piece))
        weights[each.name] = start + len(piece)
        start, piece = weights[each.name] + each.values.nbytes, b""
    fixed.append((start, piece + graph_after + after))
    return Layout(tuple(fixed), weights, start + len(fixed[-1][1]))


def _begin_tensor(kept: Kept) -> bytes:
    """All of an initializer before its values, which are its last field."""
    element = helper.np_dtype_to_tensor_dtype(kept.values.dtype)
    tensor = onnx.TensorProto(dims=kept.values.shape, data_type=element, name=kept.name)
    head: bytes = tensor.SerializeToString()
    return head + _begin_field(_RAW_DATA, kept.values.nbytes)


def _to_bytes(kept: Kept) -> bytes:
    little = kept.values.astype(kept.values.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(little).tobytes()


def _part(message: Any, number: int) -> tuple[bytes, bytes]:
    """The fields before one of this number, and those after it."""
    parts = type(message)(), type(message)()
    for field, value in message.ListFields():
        if field.number == number:
            continue
        part = parts[field.number > number]
        if isinstance(value, (str, bytes, int)):
            setattr(part, field.name, value)
        else:
            getattr(part, field.name).extend(value)
    return parts[0].SerializeToString(), parts[1].SerializeToString()


def _begin_field(number: int, num_bytes: int) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(num_bytes)


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
