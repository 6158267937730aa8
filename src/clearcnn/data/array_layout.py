"""The axes of image arrays: which one counts the images, and which are height, width and channels.

Arrays come as (n, height, width), with channels last or first, as MATLAB stores them with the
images last, or with all pixels of an image in one row. The number of labels says which axis counts
the images.
"""

import math

import numpy as np

from clearcnn.data.labelled_images import Images
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.specs import DataSpec

_CHANNELS = (1, 3)
_CLEARLY = 0.9
_SAMPLE = 200
"""Images that show whether rows of colour are planar."""

Arranged = tuple[Images, tuple[str, ...]]


def arrange_images(
    images: Images, num_images: int, spec: DataSpec, place: str, *, by_columns: bool = False
) -> Arranged:
    """Bring an array of images to (n, height, width) or (n, height, width, channels).

    Args:
      images: of any layout named above.
      num_images: the number of labels.
      spec: its size is the shape of rows of pixels that are not square.
      place: the array, for error messages.
      by_columns: rows of pixels list the columns of the image one after another, not its rows.
    Returns:
      (images, sentences): a view where possible, and what was read how.
    Raises:
      DataError: no axis counts the images, the images are volumes, or rows of pixels fit no shape.
    """
    shape = images.shape
    if images.ndim >= 2 and shape[0] != num_images and shape[-1] == num_images:
        images = np.moveaxis(images, -1, 0)
    if images.ndim < 2 or images.shape[0] != num_images:
        raise DataError(
            say(
                "{place} has the shape {shape}, but there are {num_images:,} labels.",
                place=place,
                shape=shape,
                num_images=num_images,
            ),
            remedy=say("Store one label for each image, and the images along the first axis."),
        )
    if images.ndim == 3 and 1 in images.shape[1:]:
        images = images.reshape(num_images, -1)
    if images.ndim == 2:
        return arrange_rows(images, spec, place, by_columns=by_columns)
    _refuse_volumes(images, place)
    if images.ndim == 4 and images.shape[3] not in _CHANNELS and images.shape[1] in _CHANNELS:
        return np.moveaxis(images, 1, -1), (say("Channels moved from the first axis to the last."),)
    if shape[0] != num_images:
        said = say("Axes read as {axes}, as MATLAB stores images.", axes=_name_axes(images.ndim))
        return images, (said,)
    return images, ()


def arrange_rows(rows: Images, spec: DataSpec, place: str, *, by_columns: bool = False) -> Arranged:
    """Bring rows of pixels, (n, num_pixels), to images.

    The image has the size of the spec if the number of pixels fits it, and is square otherwise. Of
    three times as many numbers, the pixels themselves show whether the three colours of a pixel lie
    side by side or whole planes of one colour follow each other: neighbours are alike.

    Raises:
      DataError: the number of pixels fits no shape.
    """
    num_pixels = rows.shape[1]
    size, channels = find_row_shape(num_pixels, spec)
    if size is None:
        raise DataError(
            say(
                "{place} has rows of {num_pixels:,} pixels, which make no square image, in "
                "grey or in three colours.",
                place=place,
                num_pixels=num_pixels,
            ),
            remedy=say("Give the height and width (--size 20x30)."),
        )
    height, width = size
    if channels == 1:
        said = say(
            "Rows of {num_pixels:,} values read as images of {height}×{width} pixels, ",
            num_pixels=num_pixels,
            height=height,
            width=width,
        )
        if by_columns:
            return rows.reshape(-1, width, height).swapaxes(1, 2), (
                say("{shapes}column by column.", shapes=said),
            )
        return rows.reshape(-1, height, width), (say("{shapes}row by row.", shapes=said),)
    interleaved = rows.reshape(-1, height, width, 3)
    planar = np.moveaxis(rows.reshape(-1, 3, height, width), 1, -1)
    sample = np.linspace(0, len(rows) - 1, min(len(rows), _SAMPLE)).astype(int)
    if min(height, width) < 2:
        return interleaved, ()
    # Noise looks the same either way, and is taken for the more usual order.
    is_planar = _roughness(planar[sample]) < _CLEARLY * _roughness(interleaved[sample])
    how = (
        say("planes of red, green and blue")
        if is_planar
        else say("red, green and blue of each pixel")
    )
    said = say(
        "Rows of {num_pixels:,} values read as colour images of {height}×{width} pixels: {order}.",
        num_pixels=num_pixels,
        height=height,
        width=width,
        order=how,
    )
    return (planar if is_planar else interleaved), (said,)


def find_row_shape(num_pixels: int, spec: DataSpec) -> tuple[tuple[int, int] | None, int]:
    """Find ((height, width), channels) of a row of pixels; (None, 0) if it fits no shape."""
    for channels in _CHANNELS:
        if spec.size and math.prod(spec.size) * channels == num_pixels:
            return spec.size, channels
    for channels in _CHANNELS:
        side = math.isqrt(num_pixels // channels)
        if num_pixels and side * side * channels == num_pixels:
            return (side, side), channels
    return None, 0


def _roughness(images: Images) -> float:
    """The mean absolute difference between neighbours, down and across."""
    values = images.astype(np.float64)
    return float(np.abs(np.diff(values, axis=1)).mean() + np.abs(np.diff(values, axis=2)).mean())


def _refuse_volumes(images: Images, place: str) -> None:
    is_volume = images.ndim == 5 or (
        images.ndim == 4
        and images.shape[3] > 4
        and images.shape[1] not in _CHANNELS
        and min(images.shape[1:]) > 4
    )
    if is_volume:
        raise DataError(
            say(
                "{place} has the shape {shape}: these are volumes, and clearcnn trains on "
                "images of two dimensions.",
                place=place,
                shape=images.shape,
            ),
            remedy=say(
                "Store one slice of each volume, for example x[:, x.shape[1] // 2], or a "
                "projection such as x.max(axis=1)."
            ),
        )


def _name_axes(num_axes: int) -> str:
    return say("(height, width, n)") if num_axes == 3 else say("(height, width, channels, n)")
