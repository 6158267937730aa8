"""Occlusion: how much a class's probability drops when a patch is covered."""

from collections.abc import Sequence
from dataclasses import dataclass

import jax
import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearcnn.explanation.keras_functions import Network
from clearcnn.types import Pixels

_MOST_PLACES = 1024


@dataclass(frozen=True)
class Patch:
    """The sliding patch: (height, width) in pixels, and its stride."""

    size: tuple[int, int]
    stride: tuple[int, int]


def choose_patch(height: int, width: int) -> Patch:
    """Choose a patch of a quarter of each side, with stride 1, or more on large images.

    Returns:
      A Patch with at most about 1,000 positions.
    """
    size = tuple(max(1, min(side, round(side / 4))) for side in (height, width))
    places = [side - part + 1 for side, part in zip((height, width), size, strict=True)]
    step = max(1, int(np.ceil(np.sqrt(places[0] * places[1] / _MOST_PLACES))))
    stride = tuple(min(step, part) for part in size)
    return Patch((size[0], size[1]), (stride[0], stride[1]))


def occlude(
    network: Network,
    image: Pixels,
    class_index: int,
    patch: Patch,
    fill: ArrayLike,
    *,
    weights: Sequence[jax.Array] | None = None,
) -> tuple[NDArray[np.float64], float]:
    """Measure the drop in a class's probability for every position of the patch.

    Args:
      network: the model.
      image: (height, width, channels), pixel values.
      class_index: of the class.
      patch: the patch; its last position along each side ends at the border.
      fill: the value of each channel in the patch, a number or (channels,).
      weights: instead of the network's own.
    Returns:
      (map, largest): (height, width) float64, for each pixel the mean drop in probability over
      the patches that covered it, below 0 where the class became more probable; and the largest
      drop of any one patch.
    Source:
      Zeiler and Fergus 2014, Visualizing and understanding convolutional networks, ECCV.
    """
    pixels = np.asarray(image, dtype=np.float32)
    height, width = pixels.shape[:2]
    places = [
        (top, left)
        for top in _starts(height, patch.size[0], patch.stride[0])
        for left in _starts(width, patch.size[1], patch.stride[1])
    ]
    covered = np.repeat(pixels[np.newaxis], len(places) + 1, axis=0)
    for copy, (top, left) in zip(covered[1:], places, strict=True):
        copy[top : top + patch.size[0], left : left + patch.size[1]] = fill
    chances = network.probabilities(covered, weights)[:, class_index].astype(np.float64)
    drops = chances[0] - chances[1:]
    sums, counts = np.zeros((height, width)), np.zeros((height, width))
    for drop, (top, left) in zip(drops, places, strict=True):
        area = np.s_[top : top + patch.size[0], left : left + patch.size[1]]
        sums[area] += drop
        counts[area] += 1
    return sums / counts, float(drops.max())


def _starts(side: int, size: int, stride: int) -> list[int]:
    last = side - size
    return sorted({*range(0, last + 1, stride), last})
