"""Receptive field: the pixels that one value of a layer depends on."""

from dataclasses import dataclass
from typing import Self

from clearcnn.models.layers import CONVOLUTIONS, GLOBAL_POOLINGS, POOLINGS
from clearcnn.models.sliding_window import Span, join_spans, widest_span, windows_of
from clearcnn.specs import Arguments


@dataclass(frozen=True)
class ReceptiveField:
    """The image rows and columns that each row and column of a layer's output depends on.

    Computed position by position rather than by the closed formula, so that it is exact at the
    borders, where padding contributes no pixels.

    Attributes:
      rows: for each row, the image rows it depends on; one entry after a Dense layer or global
        pooling.
      columns: the same for columns.
    """

    rows: tuple[Span | None, ...]
    columns: tuple[Span | None, ...]

    @classmethod
    def of_image(cls, shape: tuple[int, int, int]) -> Self:
        """Start from an image (height, width, channels), where each pixel depends on itself."""
        height, width, _ = shape
        return cls(tuple((i, i) for i in range(height)), tuple((i, i) for i in range(width)))

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in input pixels, the largest over all positions."""
        height, width = widest_span(self.rows), widest_span(self.columns)
        return (height, width) if height and width else (0, 0)

    def after(self, layer: str, arguments: Arguments, *, flat: bool) -> Self:
        """Propagate the receptive field through one layer.

        Args:
          layer: Keras's class name.
          arguments: all of them, as `complete_layer` gives them.
          flat: the layer's input is a vector, not an image.
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
