"""Nested values as JSON and arrays, and back."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

_ARRAY, _TUPLE = "array", "tuple"


def pack(value: Any, name: str, arrays: Arrays) -> Any:
    """Take the arrays out of a nested value.

    Args:
      value: None, bool, int, float, str, arrays, and lists, tuples and dicts of these with str
        keys.
      name: what to call it; arrays are called after their place in it.
      arrays: is filled with them.
    Returns:
      What JSON can hold, with "array" and a name in the place of each array.
    Raises:
      TypeError: something else is in it.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        # In pairs, so that no key of the user's is taken for one of ours.
        return [[key, pack(item, f"{name}/{key}", arrays)] for key, item in value.items()] + [{}]
    if isinstance(value, (list, tuple)):
        items = [pack(item, f"{name}/{number}", arrays) for number, item in enumerate(value)]
        return {_TUPLE: items} if isinstance(value, tuple) else {"list": items}
    if hasattr(value, "__array__"):
        arrays[name] = to_plain(value)
        return {_ARRAY: name, "dtype": np.asarray(value).dtype.name}
    raise TypeError(f"{name} is a {type(value).__name__}")


def unpack(value: Any, arrays: Arrays) -> Any:
    """Give back what `pack` was given; arrays as NumPy's own.

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
    return [unpack(item, arrays) for item in value["list"]]


def to_plain(array: Any) -> NDArray[Any]:
    """Give an array of a dtype that NumPy knows without help: bfloat16 as its bits."""
    found = np.asarray(array)
    return found.view(f"u{found.dtype.itemsize}") if found.dtype.kind == "V" else found


def from_plain(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Give back what `to_plain` was given."""
    return array if array.dtype == dtype else array.view(dtype)
