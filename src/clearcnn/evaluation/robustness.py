"""Robustness: distorted test images (shifted, rotated, scaled, blurred, noisy, inverted)."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from clearcnn.language import say

Images = NDArray[np.float32]
Distortion = Callable[[Images], Iterator[Images]]

_ROTATION_DEGREES = 15
_SCALE = 0.15
_BLUR_PIXELS = 0.7
_NOISE_FRACTION = 0.1
_CONTRAST = 0.5


def make_distortions(value_range: tuple[float, float], seed: int) -> dict[str, Distortion]:
    """Make the distortions of the robustness table.

    Args:
      value_range: the smallest and largest value a pixel may have.
      seed: seed of the noise.
    Returns:
      From a name to a function of float32 (n, height, width, channels) images that yields each
      variant in turn, such as one per direction of a shift: same shape, values within the range.
      Accuracy under a distortion is the mean over its variants. Borders repeat the edge;
      interpolation is linear.
    Source: Hendrycks & Dietterich 2019 (ICLR) for the choice, in sizes that fit
      images of 8 pixels.
    """
    low, high = value_range
    span = high - low

    def shift(images: Images) -> Iterator[Images]:
        for step in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            yield _move(images, np.eye(2), np.negative(step))

    def rotate(images: Images) -> Iterator[Images]:
        for angle in np.radians((_ROTATION_DEGREES, -_ROTATION_DEGREES)):
            sine, cosine = np.sin(angle), np.cos(angle)
            yield _move(images, np.array([[cosine, -sine], [sine, cosine]]))

    def scale(images: Images) -> Iterator[Images]:
        for factor in (1 - _SCALE, 1 + _SCALE):
            yield _move(images, np.eye(2) / factor)

    def blur(images: Images) -> Iterator[Images]:
        from scipy.ndimage import gaussian_filter

        yield gaussian_filter(images, (0, _BLUR_PIXELS, _BLUR_PIXELS, 0), mode="nearest")

    def add_noise(images: Images) -> Iterator[Images]:
        noise = np.random.default_rng(seed).normal(0, _NOISE_FRACTION * span, images.shape)
        yield np.clip(images + noise, low, high).astype(np.float32)

    def reduce_contrast(images: Images) -> Iterator[Images]:
        middle = (low + high) / 2
        yield (middle + _CONTRAST * (images - middle)).astype(np.float32)

    def invert(images: Images) -> Iterator[Images]:
        yield (low + high - images).astype(np.float32)

    return {
        say("shifted by 1 pixel"): shift,
        say("rotated by {degrees}°", degrees=_ROTATION_DEGREES): rotate,
        say("scaled by {share:.0f} %", share=100 * _SCALE): scale,
        say("blurred, σ {pixels} pixels", pixels=_BLUR_PIXELS): blur,
        say("noise, σ {share:.0f} % of the range", share=100 * _NOISE_FRACTION): add_noise,
        say("contrast × {factor}", factor=_CONTRAST): reduce_contrast,
        say("inverted"): invert,
    }


def _move(images: Images, matrix: NDArray[np.float64], offset: object = (0, 0)) -> Images:
    """Sample each pixel at matrix · (its position from the centre) + offset.

    All images are sampled at the same places, so places and weights are computed once; SciPy's
    `affine_transform` of all images at once interpolates along images and channels too.
    """
    sides = np.array(images.shape[1:3])
    centre = (sides - 1) / 2
    places = np.column_stack(np.divmod(np.arange(sides.prod()), sides[1]))
    sampled = (places - centre) @ matrix.T + centre + np.asarray(offset, np.float64)
    sampled = np.clip(sampled, 0, sides - 1)
    corner = np.floor(sampled).astype(np.intp)
    beyond = sampled - corner
    flat = images.reshape(len(images), -1, images.shape[3])
    moved = np.zeros_like(flat)
    for step in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weights = np.where(step, beyond, 1 - beyond).prod(axis=1).astype(np.float32)
        if weights.any():
            rows, columns = np.minimum(corner + step, sides - 1).T
            moved += weights[:, np.newaxis] * flat[:, rows * sides[1] + columns]
    return moved.reshape(images.shape)
