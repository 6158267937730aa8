"""Frozen records to JSON values, and back."""

import collections.abc
import dataclasses
import math
import reprlib
import types
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from clearcnn.errors import ClearCNNError
from clearcnn.language import Message, say
from clearcnn.results.pictures import is_in_json
from clearcnn.results.scores import Difference, Score
from clearcnn.types import JsonObject

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

SCHEMA_VERSION = 1
"""Changes when a field of a record does."""

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 60


class Mismatch(ValueError):  # noqa: N818
    """A JSON value has the wrong type for its field; the message names the field."""


def to_json(record: object) -> Any:
    """Convert a record to what `json.dumps` accepts; NaN and infinities become None.

    The accuracy of a Score and the verdict on a Difference are included, so that readers of the
    JSON need not compute them.
    """
    if isinstance(record, Score):
        return {"accuracy": record.accuracy, **_fields(record)}
    if isinstance(record, Difference):
        return {"verdict": record.verdict, **_fields(record)}
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return _fields(record)
    if isinstance(record, dict):
        return {str(key): to_json(value) for key, value in record.items()}
    if isinstance(record, (tuple, list)):
        return [to_json(value) for value in record]
    if isinstance(record, Path):
        return str(record)
    if isinstance(record, Message):
        return record.english
    if isinstance(record, float) and not math.isfinite(record):
        return None
    return record


def describe_failure(error: ClearCNNError) -> JsonObject:
    """Return the event by which a process says that its job failed."""
    return {
        "event": "error",
        "problem": error.problem,
        "remedy": error.remedy,
        "code": error.code,
        "values": to_json(error.values),
    }


def _fields(record: "DataclassInstance") -> JsonObject:
    return {
        field.name: to_json(getattr(record, field.name))
        for field in dataclasses.fields(record)
        if is_in_json(field)
    }


def decode(kind: Any, value: object, where: str) -> Any:
    """Build a value of type `kind` from what `json.loads` returned.

    Args:
      kind: a type: a dataclass, str, int, float, bool, Path, Any, a Literal, a union with None, a
        tuple or a mapping with str keys, or any nesting of these.
      value: the JSON value.
      where: the field's path, for messages.
    Returns:
      A value of `kind`. Null for a float is NaN, as written by `to_json`. Unknown keys of a
      dataclass are ignored: `to_json` adds properties.
    Raises:
      Mismatch: the value has another type, or the dataclass rejects it.
    """
    origin = get_origin(kind)
    if kind is Any:
        return value
    if dataclasses.is_dataclass(kind):
        return _decode_record(kind, value, where)
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(kind), value, where)
    if origin is Literal:
        if value not in get_args(kind):
            raise _mismatch(kind, value, where)
        return value
    if origin is tuple:
        return _decode_tuple(kind, value, where)
    if origin in (dict, collections.abc.Mapping):
        if not isinstance(value, dict):
            raise _mismatch(kind, value, where)
        inner = get_args(kind)[1]
        return {key: decode(inner, item, f"{where}.{key[:60]}") for key, item in value.items()}
    return _decode_plain(kind, value, where)


def _decode_record(kind: Any, value: object, where: str) -> object:
    if not isinstance(value, dict):
        raise _mismatch(kind, value, where)
    hints = get_type_hints(kind)
    missing = [
        field.name
        for field in dataclasses.fields(kind)
        if field.name not in value and field.default is dataclasses.MISSING
    ]
    if missing:
        raise Mismatch(say("{where} lacks {names}", where=where, names=", ".join(missing)))
    fields = {
        field.name: decode(hints[field.name], value[field.name], f"{where}.{field.name}")
        for field in dataclasses.fields(kind)
        if field.name in value
    }
    try:
        return kind(**fields)
    except ClearCNNError as error:
        raise Mismatch(f"{where}: {error.problem.rstrip('.')}") from error


def _decode_union(kinds: tuple[object, ...], value: object, where: str) -> object:
    if value is None and type(None) in kinds:
        return None
    problems = []
    for kind in kinds:
        try:
            return decode(kind, value, where)
        except Mismatch as problem:
            problems.append(problem)
    raise problems[0]


def _decode_tuple(kind: object, value: object, where: str) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise _mismatch(kind, value, where)
    inner = get_args(kind)
    if inner[-1] is Ellipsis:
        inner = (inner[0],) * len(value)
    if len(inner) != len(value):
        raise _mismatch(kind, value, where)
    return tuple(
        decode(item_kind, item, f"{where}[{position}]")
        for position, (item_kind, item) in enumerate(zip(inner, value, strict=True))
    )


def _decode_plain(kind: object, value: object, where: str) -> object:
    if kind is float:
        if value is None:
            return math.nan
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            raise _mismatch(kind, value, where)
        try:
            return float(value)
        except OverflowError:
            raise Mismatch(
                say("{where} is an integer too large for a float", where=where)
            ) from None
    if kind is Path:
        if not isinstance(value, str):
            raise _mismatch(kind, value, where)
        return Path(value)
    # Not isinstance: bool is a subclass of int, but true is not a number.
    if type(value) is not kind:
        raise _mismatch(kind, value, where)
    return value


def _mismatch(kind: object, value: object, where: str) -> Mismatch:
    expected = kind.__name__ if isinstance(kind, type) else str(kind)
    # reprlib limits the depth: repr of a deeply nested value would exceed the recursion limit.
    found = _REPR.repr(value)
    found = found if len(found) <= 60 else found[:57] + "..."
    return Mismatch(
        say("{where} is {found}, not {expected}", where=where, found=found, expected=expected)
    )
