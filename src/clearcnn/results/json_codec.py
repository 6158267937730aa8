"""Frozen records to JSON values, and back."""

import collections.abc
import dataclasses
import math
import reprlib
import types
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from clearcnn.errors import ClearCNNError
from clearcnn.results.scores import Difference, Score

SCHEMA_VERSION = 1
"""Changes when a field of a record does."""

_REPR = reprlib.Repr()
_REPR.maxstring = _REPR.maxother = _REPR.maxlong = 60


class Mismatch(ValueError):  # noqa: N818
    """A JSON value has the wrong type for its field; the message names the field."""


def to_json(record: Any) -> Any:
    """Turn a record into values `json.dumps` takes: NaN and infinities become None.

    The accuracy of a Score and the verdict on a Difference are included, so that no reader has to
    divide or compare.
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
    if isinstance(record, float) and not math.isfinite(record):
        return None
    return record


def _fields(record: Any) -> dict[str, Any]:
    return {f.name: to_json(getattr(record, f.name)) for f in dataclasses.fields(record)}


def decode(kind: Any, value: Any, where: str) -> Any:
    """Build `kind` from what `json.loads` gave.

    Args:
      kind: a type as an annotation writes it: a dataclass, str, int, float, bool, Path, Any,
        a Literal, a union with None, a tuple or a mapping with str keys, nested at will.
      value: the JSON value.
      where: the field's path, for messages.
    Returns:
      A value of `kind`. Null where a float belongs is NaN, as `to_json` wrote it. Keys that
      the dataclass does not have are left out: `to_json` adds properties.
    Raises:
      Mismatch: the value is of another kind, or the dataclass refuses it.
    """
    origin = get_origin(kind)
    if kind is Any:
        return value
    if dataclasses.is_dataclass(kind):
        return _decode_record(kind, value, where)
    if origin in (Union, types.UnionType):
        return _decode_union(get_args(kind), value, where)
    if origin is Literal:
        _require(value in get_args(kind), kind, value, where)
        return value
    if origin is tuple:
        return _decode_tuple(kind, value, where)
    if origin in (dict, collections.abc.Mapping):
        _require(isinstance(value, dict), kind, value, where)
        inner = get_args(kind)[1]
        return {key: decode(inner, item, f"{where}.{key[:60]}") for key, item in value.items()}
    return _decode_plain(kind, value, where)


def _decode_record(kind: Any, value: Any, where: str) -> Any:
    _require(isinstance(value, dict), kind, value, where)
    hints = get_type_hints(kind)
    missing = [
        field.name
        for field in dataclasses.fields(kind)
        if field.name not in value and field.default is dataclasses.MISSING
    ]
    if missing:
        raise Mismatch(f"{where} lacks {', '.join(missing)}")
    fields = {
        field.name: decode(hints[field.name], value[field.name], f"{where}.{field.name}")
        for field in dataclasses.fields(kind)
        if field.name in value
    }
    try:
        return kind(**fields)
    except ClearCNNError as error:
        raise Mismatch(f"{where}: {error.problem.rstrip('.')}") from error


def _decode_union(kinds: tuple[Any, ...], value: Any, where: str) -> Any:
    if value is None and type(None) in kinds:
        return None
    problems = []
    for kind in kinds:
        try:
            return decode(kind, value, where)
        except Mismatch as problem:
            problems.append(problem)
    raise problems[0]


def _decode_tuple(kind: Any, value: Any, where: str) -> Any:
    _require(isinstance(value, list), kind, value, where)
    inner = get_args(kind)
    if inner[-1] is Ellipsis:
        inner = (inner[0],) * len(value)
    _require(len(inner) == len(value), kind, value, where)
    return tuple(
        decode(item_kind, item, f"{where}[{position}]")
        for position, (item_kind, item) in enumerate(zip(inner, value, strict=True))
    )


def _decode_plain(kind: Any, value: Any, where: str) -> Any:
    if kind is float:
        if value is None:
            return math.nan
        _require(type(value) in (int, float), kind, value, where)
        try:
            return float(value)
        except OverflowError:
            raise Mismatch(f"{where} is an integer too large for a float") from None
    if kind is Path:
        _require(isinstance(value, str), kind, value, where)
        return Path(value)
    # bool is a subclass of int, but true is no count.
    _require(type(value) is kind, kind, value, where)
    return value


def _require(condition: bool, kind: Any, value: Any, where: str) -> None:
    if not condition:
        wanted = kind.__name__ if isinstance(kind, type) else str(kind)
        # Of a deeply nested value, repr itself would exhaust the recursion.
        found = _REPR.repr(value)
        found = found if len(found) <= 60 else found[:57] + "..."
        raise Mismatch(f"{where} is {found}, not {wanted}")
