"""The input contract: what an image must be like for a model. Written once, at training time."""

import math
from dataclasses import dataclass
from typing import Literal

from clearcnn.errors import BundleError
from clearcnn.language import say
from clearcnn.pixel_range import PixelRange
from clearcnn.specs import LARGEST_SIDE

Polarity = Literal["light_on_dark", "dark_on_light", "unknown"]

_DTYPES = ("uint8", "uint16", "float32", "float64")


@dataclass(frozen=True)
class ResizeRule:
    """How an image of another size is resized to the model's.

    Attributes:
      filter: Pillow's name of the filter in lower case, such as "bilinear".
      background: the color behind transparent pixels, such as "white".
    """

    filter: str
    background: str


@dataclass(frozen=True)
class InputContract:
    """What the images of a model's training set have in common.

    Attributes:
      shape: (height, width, channels) in pixels.
      dtype: NumPy's name.
      value_range: the smallest and largest value an image of this kind may have.
      color_mode: "grayscale" or "rgb".
      polarity: whether the foreground is lighter or darker than the background.
      resize: how an image of another size is resized.
      pixel_range: statistics of the training images; None in run folders of older versions.
    Raises:
      BundleError: no image that clearcnn trains on can have these values.
    """

    shape: tuple[int, int, int]
    dtype: str
    value_range: tuple[float, float]
    color_mode: Literal["grayscale", "rgb"]
    polarity: Polarity
    resize: ResizeRule
    pixel_range: PixelRange | None = None

    def __post_init__(self) -> None:
        sides, channels = self.shape[:2], self.shape[2]
        low, high = self.value_range
        for holds, what in (
            (
                all(1 <= side <= LARGEST_SIDE for side in sides),
                say("sides of {sides} pixels", sides=sides),
            ),
            (
                channels == (3 if self.color_mode == "rgb" else 1),
                say("{channels} channels", channels=channels),
            ),
            (self.dtype in _DTYPES, say("the dtype {dtype!r}", dtype=self.dtype[:40])),
            # The range of the largest floats has an infinite width.
            (
                low < high and math.isfinite(high - low),
                say("values from {low:g} to {high:g}", low=low, high=high),
            ),
        ):
            if not holds:
                raise BundleError(
                    say(
                        "Unsupported image format: {color_mode} with {what}.",
                        color_mode=self.color_mode,
                        what=what,
                    ),
                    remedy=say("Restore the run folder from a copy, or train again."),
                )
