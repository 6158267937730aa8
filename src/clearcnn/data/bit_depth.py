"""How many bits the values of images make use of.

Cameras and scanners of 10, 12 or 14 bits store their values in 16; tables and arrays of bytes hold
binary images, and the 17 greys of scikit-learn's digits. Without the range that is used, an 8-bit
image given to `predict` would be many times too bright for the model.
"""

from collections.abc import Sequence

import numpy as np

from clearcnn.data.labelled_images import Images
from clearcnn.language import say
from clearcnn.types import Array

# The usual values of white.
_WHITES_16 = (255, 1023, 4095, 16383, 65535)
_WHITES_8 = (1, 3, 7, 15, 16, 31, 63, 64, 255)


def find_used_range(
    images: Images, *, are_files: bool
) -> tuple[tuple[float, float], tuple[str, ...]]:
    """Find the range that unsigned integers make use of: from 0 to a usual value of white.

    Args:
      images: uint8 or uint16, at least one.
      are_files: they were image files, in which 8 bits always go to 255.
    Returns:
      ((0, white), sentences): a sentence if white is not the largest value of the dtype.
    """
    largest, most = int(images.max()), int(np.iinfo(images.dtype).max)
    if images.dtype == np.uint8:
        white = 255 if are_files or largest == 0 else _at_least(largest, _WHITES_8)
    else:
        white = find_white([images])
    if white == most:
        return (0.0, float(most)), ()
    said = say(
        "The largest value is {largest:,}, so the range of these {dtype} images is taken "
        "to be 0 to {white:,}.",
        largest=largest,
        dtype=images.dtype,
        white=white,
    )
    return (0.0, float(white)), (said,)


def find_white(images: Sequence[Array]) -> int:
    """Return the value of white among uint16 images: of 8, 10, 12, 14 or 16 bits."""
    return _at_least(max((int(image.max()) for image in images), default=0), _WHITES_16)


def scale_to(image: Images, white: int) -> Images:
    """Scale a uint8 image from 0..255 to 0..white, as uint16."""
    if white == 65535:
        return image.astype(np.uint16) * np.uint16(257)
    return np.rint(image * (white / 255)).astype(np.uint16)


def _at_least(value: int, whites: Sequence[int]) -> int:
    return next(white for white in whites if white >= value)
