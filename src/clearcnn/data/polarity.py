"""The polarity of images: light on dark, dark on light, or unknown."""

import numpy as np
from numpy.typing import NDArray

from clearcnn.contract import Polarity

_MOST_IMAGES = 2_000
_LEAST_AGREEMENT = 0.8


def infer_polarity(images: NDArray[np.generic], value_range: tuple[float, float]) -> Polarity:
    """Detect whether images show light on dark or dark on light.

    The background of an image is the median of its outermost ring of pixels. An image is light on
    dark if its background is in the darkest third of the range and the 90th percentile of its
    inner pixels is lighter than that by at least a third of the range; dark on light is the
    mirror image. At least four in five images must agree; photographs seldom do.

    Args:
      images: (n, height, width, channels) or (n, height, width), any real dtype, the training
        images; of more than 2,000, an evenly spaced 2,000 are used.
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
    background = np.median(light[:, ring], axis=1)
    darkest, lightest = np.quantile(light[:, ~ring], (0.1, 0.9), axis=1)
    on_dark = (background <= 1 / 3) & (lightest - background >= 1 / 3)
    on_light = (background >= 2 / 3) & (background - darkest >= 1 / 3)
    if on_dark.mean() >= _LEAST_AGREEMENT:
        return "light_on_dark"
    if on_light.mean() >= _LEAST_AGREEMENT:
        return "dark_on_light"
    return "unknown"
