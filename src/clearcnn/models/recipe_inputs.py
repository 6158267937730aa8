"""What a recipe sees of the training images."""

from dataclasses import dataclass

Shape = tuple[int, int, int]
"""(height, width, channels) of an image."""


@dataclass(frozen=True)
class PixelStatistics:
    """Statistics of the training images that recipes use.

    Attributes:
      mean, standard_deviation: of all pixels.
      ground: the most common value along the edges; None for images without a plain
        background, such as photographs.
    """

    mean: float
    standard_deviation: float
    ground: float | None = None
