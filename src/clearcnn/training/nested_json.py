"""Nested values as JSON and arrays, and back."""

from collections.abc import Mapping

import numpy as np

from clearcnn.language import say
from clearcnn.types import JsonValue, NumPyArray, PyTree

Arrays = dict[str, NumPyArray]

_ARRAY, _TUPLE, _LIST = "array", "tuple", "list"


def pack(value: PyTree, name: str, arrays: Arrays) -> JsonValue:
    """Move the arrays out of a nested value.

    Args:
      value: None, bool, int, float, str, arrays, and lists, tuples and dicts of these with str
        keys.
      name: of the value; an array is named by its path in it.
      arrays: filled with the arrays.
    Returns:
      JSON values, in which an array is {"array": name, "dtype": …}.
    Raises:
      TypeError: the value holds something else.
    """
    if value is None or type(value) in (bool, int, float, str):
        plain: JsonValue = value
        return plain
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        # As pairs, so that a user's keys cannot be taken for ours; {} at the end marks a dict.
        return [[key, pack(item, f"{name}/{key}", arrays)] for key, item in value.items()] + [{}]
    if isinstance(value, (list, tuple)):
        items = [pack(item, f"{name}/{number}", arrays) for number, item in enumerate(value)]
        return {_TUPLE: items} if isinstance(value, tuple) else {_LIST: items}
    if hasattr(value, "__array__"):
        arrays[name] = to_plain(value)
        return {_ARRAY: name, "dtype": np.asarray(value).dtype.name}
    raise TypeError(say("{name} is a {kind}", name=name, kind=type(value).__name__))


def unpack(value: PyTree, arrays: Mapping[str, NumPyArray]) -> PyTree:
    """Return what `pack` was given, with NumPy arrays.

    Raises:
      KeyError, TypeError, ValueError: `pack` did not make this.
    """
    if isinstance(value, list):
        return {key: unpack(item, arrays) for key, item in value[:-1]}
    if not isinstance(value, dict):
        return value
    if _ARRAY in value:
        return from_plain(arrays[value[_ARRAY]], np.dtype(value["dtype"]))
    if _TUPLE in value:
        return tuple(unpack(item, arrays) for item in value[_TUPLE])
    return [unpack(item, arrays) for item in value[_LIST]]


def to_plain(array: PyTree) -> NumPyArray:
    """Return an array of a dtype that plain NumPy has: bfloat16 as its bits."""
    found = np.asarray(array)
    return found.view(f"u{found.dtype.itemsize}") if found.dtype.kind == "V" else found


def from_plain(array: NumPyArray, dtype: np.dtype) -> NumPyArray:
    """Return what `to_plain` was given."""
    return array if array.dtype == dtype else array.view(dtype)
