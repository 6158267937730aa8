"""Names for the types that pass between rooms."""

from typing import Any, TypeAlias

from numpy.typing import NDArray

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
"""What `json.loads` gives and `json.dumps` takes."""

JsonObject: TypeAlias = dict[str, JsonValue]

Pixels: TypeAlias = NDArray[Any]
"""Pixel values of any real dtype."""

PyTree: TypeAlias = Any
"""Arrays nested in tuples, lists and dicts, as JAX's tree functions take them."""

View: TypeAlias = dict[str, Any]
"""Values that a page's template shows, by name."""
