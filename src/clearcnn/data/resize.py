"""The one way a picture is resized, and the one rule that chooses a size."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from clearcnn.data.labelled_images import Images
from clearcnn.data.tiles import float_image
from clearcnn.specs import PREFERRED_SIDES

LARGEST_KEPT_SIDE = PREFERRED_SIDES[1]

Size = tuple[int, int]


def resize(pixels: Images, size: Size) -> Images:
    """Resize one picture with Pillow's antialiased triangle filter, BILINEAR.

    Args:
      pixels: (height, width, channels), uint8, uint16 or float.
      size: (height, width) wanted; the aspect ratio follows it.
    Returns:
      (*size, channels) in the same dtype; floats and uint16 are computed in float32.
    """
    if pixels.shape[:2] == size:
        return pixels
    if pixels.dtype == np.uint8:
        squeezed = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
        picture = Image.fromarray(np.ascontiguousarray(squeezed))
        return _resample(picture, size).reshape(*size, -1)
    channels = [float_image(pixels[..., k]) for k in range(pixels.shape[-1])]
    resized = np.stack([_resample(channel, size) for channel in channels], axis=-1)
    if pixels.dtype.kind == "u":
        resized = np.rint(resized)
    return resized.astype(pixels.dtype)


def choose_size(sizes: Sequence[Size]) -> Size:
    """The size to bring pictures to when the user names none.

    A size common to all is kept; otherwise the median height and width are taken. Either is
    scaled down so that the longer side has at most `LARGEST_KEPT_SIDE` pixels.

    Args:
      sizes: (height, width) of each picture, at least one.
    """
    height, width = np.median(np.array(sizes), axis=0)
    scale = min(1.0, LARGEST_KEPT_SIDE / max(height, width))
    return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))


def describe_resizing(sizes: Sequence[Size], target: Size, *, asked: bool) -> str | None:
    """What was done to the sizes, in a sentence; None if nothing was."""
    smallest, largest = min(sizes), max(sizes)
    if smallest == largest == target:
        return None
    was = (
        f"Pictures of {_by(smallest)} pixels"
        if smallest == largest
        else f"Pictures of {len(set(sizes))} sizes from {_by(smallest)} to {_by(largest)} pixels"
    )
    if asked:
        rule = "as asked"
    elif smallest == largest:
        rule = f"so that the longer side has {LARGEST_KEPT_SIDE}"
    else:
        rule = (
            "the median height and width, scaled down where the longer side would exceed "
            f"{LARGEST_KEPT_SIDE}"
        )
    return (
        f"{was} were resized to {_by(target)} (height × width), {rule}; with Pillow's bilinear "
        "filter, without keeping aspect ratios."
    )


def _resample(picture: Image.Image, size: Size) -> Images:
    height, width = size
    return np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR))


def _by(size: Size) -> str:
    return f"{size[0]}×{size[1]}"
