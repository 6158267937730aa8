"""Conversion between greyscale and colour, as in Pillow."""

import numpy as np

from clearcnn.data.labelled_images import Images

_AT_ONCE = 2**20


def is_grey(pixels: Images) -> bool:
    """Whether pixels (..., channels) are all grey: one channel, or three equal ones."""
    flat = pixels.reshape(-1, pixels.shape[-1])
    pieces = (flat[start : start + _AT_ONCE] for start in range(0, len(flat), _AT_ONCE))
    return all(bool((piece == piece[:, :1]).all()) for piece in pieces)


def to_grayscale(pixels: Images) -> Images:
    """Compute the ITU-R 601-2 luma of pixels (..., 3) or (..., 1), as (..., 1) in the same dtype.

    Source: Pillow's `convert("L")`; integers use its 16-bit fixed-point weights.
    """
    if pixels.shape[-1] == 1:
        return pixels
    if pixels.dtype.kind == "f":
        weights = np.array([0.299, 0.587, 0.114], pixels.dtype)
        return np.asarray(pixels @ weights)[..., np.newaxis]
    grey = np.empty((*pixels.shape[:-1], 1), pixels.dtype)
    flat, luma = pixels.reshape(-1, 3), grey.reshape(-1)
    # In pieces: the products of a large image would take ten times its memory.
    for start in range(0, len(flat), _AT_ONCE):
        piece = slice(start, start + _AT_ONCE)
        red, green, blue = (flat[piece, k].astype(np.uint32) for k in range(3))
        luma[piece] = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
    return grey


def to_rgb(pixels: Images) -> Images:
    """Convert pixels (..., 1) or (..., 3) to (..., 3), repeating a single channel."""
    return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels
