"""Convert between scikit-learn's X, rows of values, and Keras's images."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from clearcnn.errors import DataError, SpecError
from clearcnn.language import say
from clearcnn.types import Pixels

Shape = tuple[int, int, int]


def flatten_images(images: ArrayLike) -> tuple[ArrayLike, Shape | None]:
    """Flatten images to scikit-learn's X, one row per image.

    Args:
      images: (n, height, width) or (n, height, width, channels); anything else that scikit-learn
        accepts as X is returned unchanged.
    Returns:
      X, and the images' shape (height, width, channels); None for rows.
    Raises:
      DataError: there are more than four axes.
    """
    if isinstance(images, (list, tuple)) and _count_axes(images) > 2:
        images = np.asarray(images)
    shape = tuple(getattr(images, "shape", ()))
    if len(shape) <= 2:
        return images, None
    if len(shape) > 4:
        raise DataError(
            say(
                "X has the shape {shape}; (n, height, width), (n, height, width, channels) or "
                "rows of values was expected.",
                shape=shape,
            ),
            remedy=say("Give one image per label."),
        )
    array = np.asarray(images)
    return array.reshape(len(array), math.prod(array.shape[1:])), (*array.shape[1:], 1)[:3]


def find_shape(num_values: int, found: Shape | None, requested: Sequence[int] | None) -> Shape:
    """Choose the shape of the images.

    Args:
      num_values: values per image.
      found: the shape of the images in X; None for rows.
      requested: (height, width) or (height, width, channels). None is `found`; for rows, a square
        if `num_values` is a square number, otherwise one row of pixels.
    Returns:
      (height, width, channels).
    Raises:
      SpecError: `requested` is not a shape, or not that of the images.
    """
    if requested is None:
        side = math.isqrt(num_values)
        square = (side, side, 1) if side * side == num_values else (1, num_values, 1)
        return found or square
    sides = tuple(requested) if isinstance(requested, (list, tuple)) else ()
    whole = all(isinstance(side, (int, np.integer)) and side >= 1 for side in sides)
    if len(sides) not in (2, 3) or not whole:
        raise SpecError(
            say(
                "image_shape={requested!r} is not a shape: positive integers (height, width) "
                "or (height, width, channels) were expected.",
                requested=requested,
            ),
            remedy=say("Give a shape such as (28, 28)."),
        )
    height, width, channels = (int(side) for side in (*sides, 1)[:3])
    shape = (height, width, channels)
    if (found or shape) != shape or math.prod(shape) != num_values:
        actual = (
            say("the shape {found}", found=found)
            if found
            else say("{num_values} values", num_values=num_values)
        )
        raise SpecError(
            say(
                "image_shape={requested!r} does not match X, whose images have {actual}.",
                requested=requested,
                actual=actual,
            ),
            remedy=say("Give the shape of the images, or omit image_shape."),
        )
    return shape


def check_same_shape(found: Shape | None, shape: Shape) -> None:
    """Raise a DataError if images have a different shape from the training images."""
    if found is not None and found != shape:
        raise DataError(
            say(
                "X has images of shape {found}; the model was trained on {shape} (height, "
                "width, channels).",
                found=found,
                shape=shape,
            ),
            remedy=say("Give images of that shape, or rows of as many values."),
        )


def to_pixels(rows: Pixels, shape: Shape) -> Pixels:
    """Reshape rows to images (n, height, width, channels)."""
    return rows.reshape(len(rows), *shape)


def _count_axes(nested: object) -> int:
    axes = 0
    while isinstance(nested, (list, tuple)) and nested:
        axes, nested = axes + 1, nested[0]
    return axes + len(getattr(nested, "shape", ()))
