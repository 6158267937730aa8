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

NumPyArray: TypeAlias = NDArray[Any]
"""A NumPy array of any dtype."""

PyTree: TypeAlias = Any
"""Arrays nested in tuples, lists and dicts, as in JAX's tree functions."""

Batch: TypeAlias = tuple[PyTree, PyTree, PyTree]
"""(x, y, sample_weight) with the samples first; sample_weight may be None."""

Logs: TypeAlias = dict[str, float]
"""Loss and metrics of one epoch, by Keras's names."""

Arguments: TypeAlias = dict[str, Any]
"""Arguments or settings of any type, by name."""

View: TypeAlias = dict[str, Any]
"""The values of a page's template, by name."""

KerasModel: TypeAlias = Any
"""A `keras.Model`, where Keras is never imported, not even for types."""
