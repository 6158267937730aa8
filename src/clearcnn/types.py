"""Names for the types that pass between rooms."""

from typing import Any, TypeAlias

from numpy.typing import NDArray

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
"""What `json.loads` gives and `json.dumps` takes."""

JsonObject: TypeAlias = dict[str, JsonValue]

Pixels: TypeAlias = NDArray[Any]
"""Pixel values of any real dtype."""

NumPyArray: TypeAlias = NDArray[Any]
"""A NumPy array of any dtype."""

PyTree: TypeAlias = Any
"""Arrays nested in tuples, lists and dicts, as JAX's tree functions take them."""

Batch: TypeAlias = tuple[PyTree, PyTree, PyTree]
"""(x, y, sample_weight) with the samples first; sample_weight may be None."""

Logs: TypeAlias = dict[str, float]
"""Loss and metrics of one epoch, by Keras's names."""

Arguments: TypeAlias = dict[str, Any]
"""Arguments or settings of any type, by name."""

View: TypeAlias = dict[str, Any]
"""Values that a page's template shows, by name."""
