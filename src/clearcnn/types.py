"""Type aliases that several packages use."""

from typing import Any, TypeAlias

from numpy.typing import NDArray

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
"""A value of `json.loads` and `json.dumps`."""

JsonObject: TypeAlias = dict[str, JsonValue]

Array: TypeAlias = NDArray[Any]
"""An array of any dtype."""

Pixels: TypeAlias = NDArray[Any]
"""Pixel values of any real dtype."""

PyTree: TypeAlias = Any
"""Arrays nested in tuples, lists and dicts, as in JAX's tree functions."""

View: TypeAlias = dict[str, Any]
"""The values of a page's template, by name."""
