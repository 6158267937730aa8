"""Grey and colour: told apart and turned into each other, as Pillow does it."""

import numpy as np

from clearcnn.data.images import Images


def is_grey(pixels: Images) -> bool:
    """Whether pixels (..., channels) show only greys: one channel, or three equal ones."""
    red = pixels[..., 0]
    return all(bool((red == pixels[..., k]).all()) for k in range(1, pixels.shape[-1]))


def to_grayscale(pixels: Images) -> Images:
    """ITU-R 601-2 luma of pixels (..., 3) or (..., 1), as (..., 1) in the same dtype.

    Source: Pillow's `convert("L")`, whose 16-bit fixed-point weights the integers follow.
    """
    if pixels.shape[-1] == 1:
        return pixels
    if pixels.dtype.kind == "f":
        weights = np.array([0.299, 0.587, 0.114], pixels.dtype)
        return np.asarray(pixels @ weights)[..., np.newaxis]
    red, green, blue = (pixels[..., k].astype(np.uint32) for k in range(3))
    luma = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
    return luma.astype(pixels.dtype)[..., np.newaxis]


def to_rgb(pixels: Images) -> Images:
    """Pixels (..., 1) or (..., 3) as (..., 3): greys in three equal channels."""
    return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels
