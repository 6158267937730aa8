"""Names for the types that pass between rooms."""

from typing import Any, TypeAlias

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
"""What `json.loads` gives and `json.dumps` takes."""

JsonObject: TypeAlias = dict[str, JsonValue]

PyTree: TypeAlias = Any
"""Arrays nested in tuples, lists and dicts, as JAX's tree functions take them."""
