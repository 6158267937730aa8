"""What a Python object gives: images, labels, and what else it knows of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias, runtime_checkable

from clearcnn.types import Array


@runtime_checkable
class Indexed(Protocol):
    """A data set, a table or a sequence: it has a length, and rows or columns."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: Any, /) -> Any: ...


PythonImages: TypeAlias = Indexed | Mapping[str, Indexed]
"""Images that `load` takes in place of a path; its docstring lists the kinds."""


@dataclass
class Samples:
    """Images and labels, one item each.

    Attributes:
      kind: a description, such as "a list of (image, label)".
      images: an array (n, height, width[, channels]) or (n, num_pixels), or a sequence of images or
        paths.
      labels: of any kind; None stands for none.
      class_names: if the object knows them; labels are then indices.
      groups, splits: one text for each image, or None.
      notes: how they were read, one sentence each.
    """

    kind: str
    images: "Array | Sequence[object]"
    labels: Sequence[object]
    class_names: tuple[str, ...] | None = None
    groups: Sequence[object] | None = field(default=None)
    splits: Sequence[object] | None = field(default=None)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.images)
