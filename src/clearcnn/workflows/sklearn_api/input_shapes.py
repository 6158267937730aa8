"""Images as rows of values and back: scikit-learn's X and Keras's images."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcnn.errors import DataError, SpecError

Shape = tuple[int, int, int]


def flatten_images(images: Any) -> tuple[Any, Shape | None]:
    """Give scikit-learn's X of images: one row for each.

    Args:
      images: (n, height, width), (n, height, width, channels), or what else scikit-learn takes
        for X, which is left as it is.
    Returns:
      X, and the shape (height, width, channels) that the images have; None for rows.
    Raises:
      DataError: more than four axes.
    """
    array = images
    if isinstance(images, (list, tuple)) and _count_axes(images) > 2:
        array = np.asarray(images)
    axes = len(getattr(array, "shape", ()))
    if axes <= 2:
        return images, None
    if axes > 4:
        raise DataError(
            f"X has the shape {tuple(array.shape)}; (n, height, width), (n, height, width, "
            "channels) or rows of values was expected.",
            remedy="Give one image for each label.",
        )
    array = np.asarray(array)
    return array.reshape(len(array), math.prod(array.shape[1:])), (*array.shape[1:], 1)[:3]


def find_shape(num_values: int, found: Shape | None, asked: Sequence[int] | None) -> Shape:
    """Decide on the shape of an image.

    Args:
      num_values: of one image.
      found: the shape that the images came with; None for rows.
      asked: (height, width) or (height, width, channels), or None: a square if `num_values`
        is one, or else one row of pixels.
    Returns:
      (height, width, channels).
    Raises:
      SpecError: asked for another shape than the images have, or for no shape.
    """
    if asked is None:
        side = math.isqrt(num_values)
        square = (side, side, 1) if side * side == num_values else (1, num_values, 1)
        return found or square
    sides = tuple(asked) if isinstance(asked, (list, tuple)) else ()
    whole = all(isinstance(side, (int, np.integer)) and side >= 1 for side in sides)
    if len(sides) not in (2, 3) or not whole:
        raise SpecError(
            f"image_shape={asked!r} is no shape: (height, width) or (height, width, channels), "
            "each 1 or more, was expected.",
            remedy="Give a shape such as (28, 28).",
        )
    height, width, channels = (int(side) for side in (*sides, 1)[:3])
    shape = (height, width, channels)
    if (found or shape) != shape or math.prod(shape) != num_values:
        has = f"the shape {found}" if found else f"{num_values} values"
        raise SpecError(
            f"image_shape={asked!r} does not hold: an image of X has {has}.",
            remedy="Give the shape that the images have, or leave image_shape out.",
        )
    return shape


def check_same_shape(found: Shape | None, shape: Shape) -> None:
    """Raise a DataError if images have another shape than those trained on; rows have none."""
    if found is not None and found != shape:
        raise DataError(
            f"X holds images of the shape {found}; the model was trained on {shape} (height, "
            "width, channels).",
            remedy="Give images of that shape, or rows of as many values.",
        )


def to_pixels(rows: NDArray[Any], shape: Shape) -> NDArray[Any]:
    """Give the images (n, height, width, channels) of rows."""
    return rows.reshape(len(rows), *shape)


def _count_axes(nested: Any) -> int:
    axes = 0
    while isinstance(nested, (list, tuple)) and nested:
        axes, nested = axes + 1, nested[0]
    return axes + len(getattr(nested, "shape", ()))
