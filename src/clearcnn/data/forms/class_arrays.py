"""One array of images for each class, as Quick, Draw! has them: `apple.npy`, `bus.npy`."""

from collections.abc import Mapping
from os.path import commonprefix
from pathlib import Path

import numpy as np

from clearcnn.data.array_parts import ArrayPart, build_from_parts
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.specs import DataSpec
from clearcnn.types import Array


def read_class_arrays(arrays: Mapping[str, Array], spec: DataSpec, place: Path) -> LabelledImages:
    """Read images from one array per class.

    Args:
      arrays: class name → (n, num_pixels), (n, height, width) or with channels. What all names
        begin with, such as "full_numpy_bitmap_", is not part of them.
      spec: the wanted size, colour mode and classes.
      place: the folder.
    Raises:
      DataError: the arrays have different shapes or dtypes.
    """
    kinds = {(array.shape[1:], array.dtype.name) for array in arrays.values()}
    if len(kinds) > 1 or not all(array.ndim >= 2 and len(array) for array in arrays.values()):
        listed = ", ".join(f"{name} {array.shape}" for name, array in list(arrays.items())[:8])
        raise DataError(
            say(
                "{place}: the names of the arrays say neither images nor labels, and they are "
                "not images of one kind for each class: {listed}.",
                place=place,
                listed=listed,
            ),
            remedy=say(
                "Name the files X.npy and Y.npy, or store the images of each class in the "
                "same shape."
            ),
        )
    # These are names, not paths, so letters are compared.
    shared = commonprefix(list(arrays))  # noqa: RUF071
    start = max(shared.rfind("_"), shared.rfind("-")) + 1
    labels = [np.full(len(array), name[start:]) for name, array in arrays.items()]
    part = ArrayPart(
        split=None,
        images=np.concatenate(list(arrays.values())),
        labels=np.concatenate(labels),
        images_name=say("the arrays"),
        labels_name=say("the file names"),
    )
    said = say("The names of the {num_arrays} files are the classes.", num_arrays=len(arrays))
    return build_from_parts(
        [part],
        spec,
        source=say("one array per class in {place}", place=place),
        place=place,
        preparation=[said],
    )
