"""What a picture must be like for a model to read it: written once, at training time."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from clearcnn.errors import BundleError
from clearcnn.specs import LARGEST_SIDE

Polarity = Literal["light_on_dark", "dark_on_light", "unknown"]

_DTYPES = ("uint8", "uint16", "float32", "float64")
_MOST_IMAGES = 2_000
_LEAST_AGREEMENT = 0.8


@dataclass(frozen=True)
class ResizeRule:
    """How a picture of another size is brought to the model's.

    Attributes:
      filter: Pillow's name of the filter in lower case, such as "bilinear".
      background: what transparent pixels are laid on, such as "white".
    """

    filter: str
    background: str


@dataclass(frozen=True)
class InputContract:
    """The pictures the model was trained on.

    Attributes:
      shape: (height, width, channels) in pixels.
      dtype: NumPy's name.
      value_range: the smallest and largest value an image of this kind may have.
      color_mode: "grayscale" or "rgb".
      polarity: which of figure and ground is the lighter.
      resize: how a picture of another size is brought to this one.
    Raises:
      BundleError: no image can be like this.
    """

    shape: tuple[int, int, int]
    dtype: str
    value_range: tuple[float, float]
    color_mode: Literal["grayscale", "rgb"]
    polarity: Polarity
    resize: ResizeRule

    def __post_init__(self) -> None:
        sides, channels = self.shape[:2], self.shape[2]
        low, high = self.value_range
        for holds, what in (
            (all(1 <= side <= LARGEST_SIDE for side in sides), f"sides of {sides} pixels"),
            (channels == (3 if self.color_mode == "rgb" else 1), f"{channels} channels"),
            (self.dtype in _DTYPES, f"the dtype {self.dtype[:40]!r}"),
            # Their span must be a number, too.
            (low < high and math.isfinite(high - low), f"values from {low:g} to {high:g}"),
        ):
            if not holds:
                raise BundleError(
                    f"Images of {self.color_mode} with {what} are none that clearcnn trains on.",
                    remedy="Restore the run folder from a copy, or train again.",
                )


def infer_polarity(images: NDArray[np.generic], value_range: tuple[float, float]) -> Polarity:
    """Tell whether the pictures show light figures on dark ground, or the other way round.

    The median of a picture's outermost ring of pixels is its ground. A picture is light on
    dark if its ground is in the darkest third of the range and its inside holds, in its
    lightest tenth, pixels lighter by at least a third of the range; dark on light mirrors
    that. At least four in five pictures must agree; photographs seldom do.

    Args:
      images: (n, height, width, channels) or (n, height, width), any real dtype, the training
        images; of more than 2,000, evenly chosen ones are looked at.
      value_range: the smallest and largest value an image of this kind may have.
    Returns:
      "light_on_dark", "dark_on_light" or "unknown".
    """
    low, high = value_range
    n, height, width = images.shape[:3]
    if n == 0 or min(height, width) < 3 or high <= low:
        return "unknown"
    chosen = np.linspace(0, n - 1, min(n, _MOST_IMAGES)).astype(int)
    light = images[chosen].astype(np.float64).reshape(len(chosen), height, width, -1).mean(axis=-1)
    light = (light - low) / (high - low)

    ring = np.ones((height, width), dtype=bool)
    ring[1:-1, 1:-1] = False
    ground = np.median(light[:, ring], axis=1)
    darkest, lightest = np.quantile(light[:, ~ring], (0.1, 0.9), axis=1)
    on_dark = (ground <= 1 / 3) & (lightest - ground >= 1 / 3)
    on_light = (ground >= 2 / 3) & (ground - darkest >= 1 / 3)
    if on_dark.mean() >= _LEAST_AGREEMENT:
        return "light_on_dark"
    if on_light.mean() >= _LEAST_AGREEMENT:
        return "dark_on_light"
    return "unknown"
