"""Small copies of image files, to show to people."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcnn.data.decode_image import decode_when_memory_allows
from clearcnn.data.image_files import quiet_pillow
from clearcnn.data.labelled_images import Images
from clearcnn.data.resize import resize
from clearcnn.data.safe_files import read_bytes


def read_thumbnail(path: Path, root: Path, side: int) -> NDArray[np.uint8]:
    """Read an image file, reduced to at most `side` pixels a side, with its aspect.

    Args:
      path: the file.
      root: the folder that the user named and the file is in.
      side: in pixels; smaller images keep their size.
    Returns:
      (height, width) if it is grey, otherwise (height, width, 3); 0 to 255. Values of other depths
      are scaled, those of floating-point images from their own range.
    Raises:
      DataError: the file cannot be read as an image.
    """
    with quiet_pillow(), decode_when_memory_allows(read_bytes(path, root), path.name) as image:
        assert image.pixels is not None  # Only images of which the size alone was read have none.
        pixels = _to_bytes(image.pixels)
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    small = resize(pixels, (max(1, round(height * scale)), max(1, round(width * scale))))
    shown: NDArray[np.uint8] = small[..., 0] if small.shape[-1] == 1 else small
    return np.ascontiguousarray(shown)


def _to_bytes(pixels: Images) -> Images:
    if pixels.dtype == np.uint8:
        return pixels
    if pixels.dtype == np.uint16:
        return (pixels >> 8).astype(np.uint8)
    low, high = float(np.nanmin(pixels)), float(np.nanmax(pixels))
    return np.rint((pixels - low) * (255 / ((high - low) or 1))).astype(np.uint8)
