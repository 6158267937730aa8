"""The geometry of a window that moves over an image."""

from typing import NamedTuple

Size = tuple[int, int]


class Geometry(NamedTuple):
    """Everything static about a convolution or pooling except the number of channels.

    Attributes:
      kernel, strides, dilation: (height, width).
      padding: ((top, bottom), (left, right)), may be negative as in lax.
      groups: number of groups of input channels.
    """

    kernel: Size
    strides: Size
    dilation: Size
    padding: tuple[Size, Size]
    groups: int

    def output(self, image: Size) -> Size:
        """Return the (height, width) of the output for an image of (height, width).

        A window larger than the padded image gives an output of size 0, as in XLA.
        """
        rows, columns = (
            max(0, (length + sum(pads) - (size - 1) * gap - 1) // step + 1)
            for length, pads, size, gap, step in zip(
                image, self.padding, self.kernel, self.dilation, self.strides, strict=True
            )
        )
        return rows, columns
