"""Resizing of images, and the rule that chooses a size."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from clearcnn.data.labelled_images import Images
from clearcnn.data.tiles import float_image
from clearcnn.language import say
from clearcnn.specs import PREFERRED_SIDES

LARGEST_KEPT_SIDE = PREFERRED_SIDES[1]

Size = tuple[int, int]


def resize(pixels: Images, size: Size) -> Images:
    """Resize one image with Pillow's antialiased triangle filter, BILINEAR.

    Args:
      pixels: (height, width, channels), uint8, uint16 or float.
      size: the new (height, width); the aspect ratio may change.
    Returns:
      (*size, channels) in the same dtype; floats and uint16 are resized in float32.
    """
    if pixels.shape[:2] == size:
        return pixels
    if pixels.dtype == np.uint8:
        squeezed = pixels[..., 0] if pixels.shape[-1] == 1 else pixels
        image = Image.fromarray(np.ascontiguousarray(squeezed))
        return _resample(image, size).reshape(*size, -1)
    channels = [float_image(pixels[..., k]) for k in range(pixels.shape[-1])]
    resized = np.stack([_resample(channel, size) for channel in channels], axis=-1)
    if pixels.dtype.kind == "u":
        resized = np.rint(resized)
    return resized.astype(pixels.dtype)


def choose_size(sizes: Sequence[Size]) -> Size:
    """Choose a size when the user names none.

    It is the common size of all images, or else the median height and width; scaled down so that
    the longer side has at most `LARGEST_KEPT_SIDE` pixels.

    Args:
      sizes: (height, width) of each image, at least one.
    """
    height, width = np.median(np.array(sizes), axis=0)
    scale = min(1.0, LARGEST_KEPT_SIDE / max(height, width))
    return max(1, int(height * scale + 0.5)), max(1, int(width * scale + 0.5))


def describe_resizing(sizes: Sequence[Size], target: Size, *, asked: bool) -> str | None:
    """Describe the resizing in a sentence; None if no image was resized."""
    smallest, largest = min(sizes), max(sizes)
    if smallest == largest == target:
        return None
    was = (
        say("Images of {smallest} pixels", smallest=_by(smallest))
        if smallest == largest
        else say(
            "Images of {number} sizes from {smallest} to {largest} pixels",
            number=len(set(sizes)),
            smallest=_by(smallest),
            largest=_by(largest),
        )
    )
    if asked:
        rule = say("as requested")
    elif smallest == largest:
        rule = say(
            "so that the longer side has {largest_kept_side} pixels",
            largest_kept_side=LARGEST_KEPT_SIDE,
        )
    else:
        rule = say(
            "the median height and width, scaled down where the longer side would exceed "
            "{largest_kept_side}",
            largest_kept_side=LARGEST_KEPT_SIDE,
        )
    return say(
        "{images} were resized to {target} (height × width), {rule}; with Pillow's bilinear "
        "filter, without keeping aspect ratios.",
        images=was,
        target=_by(target),
        rule=rule,
    )


def _resample(image: Image.Image, size: Size) -> Images:
    height, width = size
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


def _by(size: Size) -> str:
    return f"{size[0]}×{size[1]}"
