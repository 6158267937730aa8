"""Which pixels of the image one value of a layer depends on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from clearcnn.models.layers import CONVOLUTIONS, GLOBAL_POOLINGS, POOLINGS
from clearcnn.models.sliding_window import Span, join_spans, widest_span, windows_of


@dataclass(frozen=True)
class ReceptiveField:
    """What each row and each column of a layer's output sees of the image.

    Followed place by place rather than by the usual formula, so that it stays true at the
    borders of the image, where padding has no pixels to show.

    Attributes:
      rows: for each row, the image rows it sees; one entry once everything is mixed.
      columns: likewise.
    """

    rows: tuple[Span | None, ...]
    columns: tuple[Span | None, ...]

    @classmethod
    def of_image(cls, shape: tuple[int, int, int]) -> Self:
        """Begin with an image (height, width, channels), whose pixels see themselves."""
        height, width, _ = shape
        return cls(tuple((i, i) for i in range(height)), tuple((i, i) for i in range(width)))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in input pixels that the best-placed value sees."""
        height, width = widest_span(self.rows), widest_span(self.columns)
        return (height, width) if height and width else (0, 0)

    def after(self, layer: str, arguments: Mapping[str, Any], *, flat: bool) -> Self:
        """Follow the field through one layer.

        Args:
          layer: Keras's class name.
          arguments: all of them, as `complete_layer` gives them.
          flat: the layer receives a vector, not an image.
        """
        if layer in CONVOLUTIONS or layer in POOLINGS:
            rows, columns = windows_of(arguments)
            return type(self)(tuple(rows.slide(self.rows)), tuple(columns.slide(self.columns)))
        if layer == "ZeroPadding2D":
            (top, bottom), (left, right) = arguments["padding"]
            return type(self)(
                (None,) * top + self.rows + (None,) * bottom,
                (None,) * left + self.columns + (None,) * right,
            )
        # Dense and softmax mix the last axis: all values of a vector, but only the channels
        # of one pixel of an image.
        mixes_vector = flat and (layer == "Dense" or arguments.get("activation") == "softmax")
        if layer in GLOBAL_POOLINGS or mixes_vector:
            return type(self)((join_spans(self.rows),), (join_spans(self.columns),))
        return self
