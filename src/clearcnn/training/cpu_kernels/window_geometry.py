"""How a window walks over an image."""

from typing import NamedTuple

Size = tuple[int, int]


class Geometry(NamedTuple):
    """Everything static about a convolution or pooling but the number of channels.

    Attributes:
      kernel, strides, dilation: (height, width).
      padding: ((top, bottom), (left, right)), may be negative as in lax.
      groups: input channels are parted in so many groups.
    """

    kernel: Size
    strides: Size
    dilation: Size
    padding: tuple[Size, Size]
    groups: int

    def output(self, image: Size) -> Size:
        """Give the (height, width) of what comes out of an image of (height, width)."""
        rows, columns = (
            (length + sum(pads) - (size - 1) * gap - 1) // step + 1
            for length, pads, size, gap, step in zip(
                image, self.padding, self.kernel, self.dilation, self.strides, strict=True
            )
        )
        return rows, columns
