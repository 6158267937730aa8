"""A window that slides along one axis of an image, as in convolution and pooling."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from clearcnn.specs import Arguments

Span = tuple[int, int]
"""First and last input pixel, along one axis, that one value depends on."""

_FAR = 2**31


@dataclass(frozen=True)
class Window:
    """A sliding window along one axis.

    Attributes:
      size: values in the window.
      stride: step between positions.
      dilation: step between values.
      same: "same" padding, as in Keras.
    """

    size: int
    stride: int = 1
    dilation: int = 1
    same: bool = False

    @property
    def extent(self) -> int:
        """Input positions from its first to its last value."""
        return (self.size - 1) * self.dilation + 1

    def count_places(self, length: int) -> int:
        """Count its positions along an axis; not positive if it does not fit."""
        covered = 1 if self.same else self.extent
        return (length - covered) // self.stride + 1

    def slide(self, spans: Sequence[Span | None]) -> list[Span | None]:
        """Find the input pixels that each position depends on.

        Args:
          spans: the pixels that each input position depends on; None for padding.
        Returns:
          The span of each output position; None if it depends on padding only.
        """
        length = len(spans)
        num_places = self.count_places(length)
        missing = (num_places - 1) * self.stride + self.extent - length
        # Odd padding goes to the end, as in Keras on every backend.
        before = max(missing, 0) // 2 if self.same else 0
        around = (before, max(missing, 0) - before) if self.same else (0, 0)
        # NumPy, since a model file may slide windows of 512 over thousands of positions.
        first = np.array([_FAR if span is None else span[0] for span in spans])
        last = np.array([-1 if span is None else span[1] for span in spans])
        first = np.pad(first, around, constant_values=_FAR)
        last = np.pad(last, around, constant_values=-1)
        firsts, lasts = first[:0], last[:0]
        for k, start in enumerate(range(0, self.extent, self.dilation)):
            places = slice(start, start + (num_places - 1) * self.stride + 1, self.stride)
            firsts = np.minimum(firsts, first[places]) if k else first[places]
            lasts = np.maximum(lasts, last[places]) if k else last[places]
        found = zip(firsts.tolist(), lasts.tolist(), strict=True)
        return [None if end < 0 else (start, end) for start, end in found]


def windows_of(arguments: Arguments) -> tuple[Window, Window]:
    """Make the row window and the column window of a convolution or pooling layer.

    Args:
      arguments: all of the layer's, as `complete_layer` gives them.
    """
    sizes = arguments.get("kernel_size") or arguments["pool_size"]
    dilations = arguments.get("dilation_rate", (1, 1))
    same = arguments["padding"] == "same"
    rows, columns = (
        Window(size, stride, dilation, same)
        for size, stride, dilation in zip(sizes, arguments["strides"], dilations, strict=True)
    )
    return rows, columns


def join_spans(spans: Iterable[Span | None]) -> Span | None:
    """Join spans into one from the first to the last pixel; None if there are none."""
    seen = [span for span in spans if span is not None]
    if not seen:
        return None
    return min(first for first, _ in seen), max(last for _, last in seen)


def widest_span(spans: Iterable[Span | None]) -> int:
    """Count the pixels of the widest span; 0 if there is none."""
    return max((span[1] - span[0] + 1 for span in spans if span is not None), default=0)
