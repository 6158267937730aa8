"""MATLAB files of version 5 to 7, with numeric and text arrays; version 7.3 is HDF5.

SciPy's reader is not used: one changed byte makes it read outside its memory. The fields of a
struct have names such as dataset.train.images. Cells, arrays of structs, objects, functions and
sparse arrays are never read.

Source: The MathWorks, MAT-File Format, R2023a: "Level 5 MAT-file format".
"""

import math
import zlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from clearcnn.data.array_files import hdf5
from clearcnn.data.safe_files import check_array_bytes, check_decompressed_size, open_regular
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.types import Array

_HEAD_BYTES = 128
_HDF5 = b"\x89HDF\r\n\x1a\n"
_MATRIX, _COMPRESSED = 14, 15
# Type of a data element → NumPy's; and class of an array → NumPy's.
_TYPES = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"}
_TYPES |= {12: "i8", 13: "u8", 16: "u1", 17: "u2", 18: "u4"}
_STRUCT, _CHAR = 2, 4
_CLASSES = {_CHAR: "u4", 6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4"}
_CLASSES |= {13: "u4", 14: "i8", 15: "u8"}
_COMPLEX_FLAG, _LOGICAL_FLAG = 0x08, 0x02
_MOST_AXES = 8
_MOST_VARIABLES = 1000
_DEEPEST, _LONGEST_FIELD = 3, 64


class _DamagedError(ValueError):
    """The file does not have the structure of its format."""


@dataclass(frozen=True)
class _Variable:
    """One array before its numbers are converted."""

    name: str
    kind: int
    flags: int
    shape: tuple[int, ...]
    rest: memoryview


def read_arrays(
    path: Path, root: Path | None, choose: Callable[[Sequence[str]], Collection[str]]
) -> dict[str, Array]:
    """Read the chosen arrays of a MATLAB file, in MATLAB's order of axes.

    Rows of characters become one text each. A file of version 7.3 is read as HDF5, with the axes
    in MATLAB's order.

    Raises:
      DataError: it is damaged, decompresses too far, is of version 4, or a chosen array is
        complex or not numeric.
    """
    with open_regular(path, root) as file:
        num_bytes = file.seek(0, 2)
        file.seek(0)
        check_array_bytes(num_bytes, path)
        content = file.read(num_bytes)
    if content.startswith(_HDF5) or content[512:520] == _HDF5:
        arrays = hdf5.read_arrays(path, root, choose)
        return {name: array.T for name, array in arrays.items()}
    if content[126:128] not in (b"IM", b"MI"):
        raise DataError(
            say("{path} is not a MATLAB file of version 5 or newer.", path=path),
            remedy=say(
                "Save it again: in MATLAB with save('data.mat', '-v7'), in Python with "
                "scipy.io.savemat."
            ),
        )
    order = "<" if content[126:128] == b"IM" else ">"
    try:
        found = {
            each.name: each
            for variable in _variables(content, order, path)
            for each in _open_struct(variable, order, _DEEPEST)
        }
        chosen = choose([name for name, each in found.items() if each.kind in _CLASSES])
        declared = sum(_declared_bytes(found[name]) for name in chosen)
        check_decompressed_size(declared, path)
        return {name: _convert(found[name], order) for name in chosen}
    except (_DamagedError, zlib.error, UnicodeError) as error:
        fault = str(error) if isinstance(error, _DamagedError) else say("its data are damaged")
        raise DataError(
            say("{path} cannot be read as a MATLAB file: {fault}.", path=path, fault=fault),
            remedy=say("Download or write the file again."),
        ) from None


def _variables(content: bytes, order: str, path: Path) -> Iterator[_Variable]:
    """Walk the top level of a file; compressed arrays are decompressed within the limit."""
    view, decompressed = memoryview(content)[_HEAD_BYTES:], 0
    for number in range(_MOST_VARIABLES):
        if not view:
            return
        kind, data, view = _take(view, order)
        if kind == _COMPRESSED:
            data = memoryview(_decompress(data, decompressed, path))
            decompressed += len(data)
            kind, data, _ = _take(data, order)
        if kind != _MATRIX:
            raise _DamagedError(
                say(
                    "its element {number} has the type {kind}; expected {matrix}",
                    number=number,
                    kind=kind,
                    matrix=_MATRIX,
                )
            )
        if data:
            yield _parse_matrix(data, order)
    raise _DamagedError(
        say("it has more than {most_variables} arrays", most_variables=_MOST_VARIABLES)
    )


def _take(view: memoryview, order: str) -> tuple[int, memoryview, memoryview]:
    """Split off one data element: (type, its bytes, what follows)."""
    if len(view) < 8:
        raise _DamagedError(say("it is truncated"))
    kind, size = (int(each) for each in np.frombuffer(view[:8], f"{order}u4"))
    start = 8
    if kind > 0xFFFF:  # A small element: type and size in two bytes each, and up to four of data.
        kind, size, start = kind & 0xFFFF, kind >> 16, 4
        if size > 4:
            raise _DamagedError(say("a small element has {size} bytes", size=size))
    if size > len(view) - start:
        raise _DamagedError(say("it is truncated"))
    # Elements are padded to eight bytes, except compressed ones.
    end = start + size if kind == _COMPRESSED else 8 + (start == 8) * -(-size // 8) * 8
    return kind, view[start : start + size], view[end:]


def _decompress(data: memoryview, before: int, path: Path) -> bytes:
    unpacker, pieces, total = zlib.decompressobj(), [], before
    waiting: bytes | memoryview = data
    while not unpacker.eof:
        piece = unpacker.decompress(waiting, 2**20)
        if not piece and not unpacker.unconsumed_tail:
            raise _DamagedError(say("its compressed data are truncated"))
        total += len(piece)
        check_decompressed_size(total, path)
        pieces.append(piece)
        waiting = unpacker.unconsumed_tail
    return b"".join(pieces)


def _parse_matrix(data: memoryview, order: str) -> _Variable:
    _, flags, rest = _take(data, order)
    if len(flags) < 8:
        raise _DamagedError(say("an array has no flags"))
    word = int(np.frombuffer(flags[:4], f"{order}u4")[0])
    _, axes, rest = _take(rest, order)
    shape = tuple(np.frombuffer(axes[: len(axes) // 4 * 4], f"{order}i4").tolist())
    if not 1 <= len(shape) <= _MOST_AXES or min(shape) < 0:
        raise _DamagedError(say("an array declares the shape {shape}", shape=shape[:_MOST_AXES]))
    _, name, rest = _take(rest, order)
    return _Variable(bytes(name).decode("ascii"), word & 0xFF, word >> 8 & 0xFF, shape, rest)


def _open_struct(variable: _Variable, order: str, depth: int) -> Iterator[_Variable]:
    """List the fields of a struct, and of structs in it; any other variable is itself."""
    if variable.kind != _STRUCT or math.prod(variable.shape) != 1 or not depth:
        yield variable
        return
    _, size, rest = _take(variable.rest, order)
    _, names, rest = _take(rest, order)
    width = int(np.frombuffer(size[:4], f"{order}i4")[0]) if len(size) >= 4 else 0
    if not 0 < width <= _LONGEST_FIELD or len(names) > _MOST_VARIABLES * width:
        raise _DamagedError(
            say("the struct {name} declares too many fields, or none", name=variable.name)
        )
    for start in range(0, len(names) - width + 1, width):
        kind, data, rest = _take(rest, order)
        if kind != _MATRIX:
            raise _DamagedError(
                say("a field of {name} has the type {kind}", name=variable.name, kind=kind)
            )
        if data:
            field = bytes(names[start : start + width]).partition(b"\0")[0].decode("ascii")
            inside = replace(_parse_matrix(data, order), name=f"{variable.name}.{field}")
            yield from _open_struct(inside, order, depth - 1)


def _declared_bytes(variable: _Variable) -> int:
    return math.prod(variable.shape) * np.dtype(_CLASSES[variable.kind]).itemsize


def _convert(variable: _Variable, order: str) -> Array:
    if variable.flags & _COMPLEX_FLAG:
        raise _DamagedError(say("{name} has complex numbers", name=variable.name))
    kind, data, _ = _take(variable.rest, order)
    stored = _TYPES.get(kind)
    if stored is None:
        raise _DamagedError(
            say(
                "{name} stores its values in the unknown type {kind}", name=variable.name, kind=kind
            )
        )
    dtype = np.dtype(order + stored)
    count = math.prod(variable.shape)
    if len(data) != count * dtype.itemsize:
        raise _DamagedError(
            say(
                "{name} declares {count:,} values of {item_bytes} bytes, but contains "
                "{num_bytes:,} bytes",
                name=variable.name,
                count=count,
                item_bytes=dtype.itemsize,
                num_bytes=len(data),
            )
        )
    values = np.frombuffer(data, dtype)
    if variable.kind == _CHAR:
        return _as_texts(values.reshape(variable.shape, order="F"))
    if variable.flags & _LOGICAL_FLAG:
        return values.astype(bool).reshape(variable.shape, order="F")
    with np.errstate(invalid="ignore", over="ignore"):
        converted = values.astype(_CLASSES[variable.kind], copy=False)
    return converted.reshape(variable.shape, order="F")


def _as_texts(characters: Array) -> Array:
    if characters.ndim != 2 or characters.max(initial=0) > 0xFFFF:
        raise _DamagedError(say("an array of text has more than two axes"))
    return np.array(["".join(map(chr, row)).rstrip() for row in characters.tolist()], np.str_)
