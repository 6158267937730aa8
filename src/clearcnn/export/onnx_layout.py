"""The byte layout of an ONNX file: its fixed bytes, and the offsets of its weights.

A file consists of nested messages: a model contains a graph, a graph contains initializers, and
each
of these ends with its values. Protobuf writes fields in the order of their numbers, so all bytes
except the values can be computed without them.
Source: Protocol Buffers, "Encoding"; onnx.proto for the fields' numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper

from clearcnn.export.onnx_graph import Initializer

_GRAPH, _INITIALIZER, _RAW_DATA = 7, 5, 9
_LENGTH_DELIMITED = 2


@dataclass(frozen=True)
class Layout:
    """The bytes of a file without its weights.

    Attributes:
      fixed: (offset, bytes) of everything except the weights.
      weights: tensor name → offset.
      num_bytes: the size of the file.
    """

    fixed: tuple[tuple[int, bytes], ...]
    weights: dict[str, int]
    num_bytes: int

    def fits(self, content: bytes) -> bool:
        """Whether a file has this layout and these fixed bytes."""
        return len(content) == self.num_bytes and all(
            content[start : start + len(piece)] == piece for start, piece in self.fixed
        )


def compute_layout(model: onnx.ModelProto, kept: Sequence[Initializer]) -> Layout:
    """Compute the byte layout of a model's file.

    Args:
      model: without initializers.
      kept: the initializers, in order; of weights only the shapes are used.
    """
    heads = [_encode_head(each) for each in kept]
    sizes = [len(head) + each.values.nbytes for head, each in zip(heads, kept, strict=True)]
    heads = [
        _encode_tag(_INITIALIZER, size) + head for size, head in zip(sizes, heads, strict=True)
    ]
    graph_before, graph_after = _split_at(model.graph, _INITIALIZER)
    before, after = _split_at(model, _GRAPH)
    graph_bytes = len(graph_before) + len(graph_after)
    graph_bytes += sum(
        len(head) + each.values.nbytes for head, each in zip(heads, kept, strict=True)
    )

    fixed, weights, start = [], {}, 0
    piece = before + _encode_tag(_GRAPH, graph_bytes) + graph_before
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


def _encode_head(kept: Initializer) -> bytes:
    """Encode an initializer up to its values, which are its last field."""
    element = helper.np_dtype_to_tensor_dtype(kept.values.dtype)
    tensor = onnx.TensorProto(dims=kept.values.shape, data_type=element, name=kept.name)
    head: bytes = tensor.SerializeToString()
    return head + _encode_tag(_RAW_DATA, kept.values.nbytes)


def _to_bytes(kept: Initializer) -> bytes:
    little = kept.values.astype(kept.values.dtype.newbyteorder("<"), copy=False)
    return np.ascontiguousarray(little).tobytes()


def _split_at(message: Any, number: int) -> tuple[bytes, bytes]:
    """Encode the fields before the one with this number, and those after it."""
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


def _encode_tag(number: int, num_bytes: int) -> bytes:
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(num_bytes)


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
