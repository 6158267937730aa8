"""The last step of every source: name the classes, check the counts, state the range."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcnn.data.classes import check_counts, number_classes
from clearcnn.data.image_files import Entry, read_pictures
from clearcnn.data.labelled_images import Images, LabelledImages
from clearcnn.errors import DataError
from clearcnn.results.train import SkippedFile
from clearcnn.specs import DataSpec


def assemble(
    images: Images,
    labels: Sequence[str] | NDArray[Any],
    spec: DataSpec,
    *,
    source: str,
    names: Sequence[str] | None = None,
    known: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    parts: Sequence[str] | None = None,
    value_range: tuple[float, float] | None = None,
    preparation: Sequence[str] = (),
    skipped: Sequence[SkippedFile] = (),
) -> LabelledImages:
    """Make LabelledImages of prepared images and labels as the source gives them.

    Args:
      images: (n, height, width, channels), as `prepare_array` or `read_pictures` give them.
      labels: (n,) of str or of integers.
      spec: gives the wanted class names, and says whether the images are for training.
      names: the name of each image; None calls them by their rows.
      known: the names of all classes, if the source lists them.
      value_range: None is the range of an integer dtype, [0, 1] for floats within, otherwise
        the range observed.
    Raises:
      DataError: counts differ, classes are too few or too small, or all pixels are equal.
    """
    if len(images) != len(labels):
        raise DataError(
            f"{source}: {len(images)} images but {len(labels)} labels.",
            remedy="Give one label for each image.",
        )
    numbers, class_names = number_classes(labels, source, known=known, wanted=spec.class_names)
    if spec.for_training:
        check_counts(numbers, class_names, source)
    return LabelledImages(
        images=images,
        labels=numbers,
        class_names=class_names,
        source=source,
        value_range=value_range or nominal_range(images, source),
        names=tuple(names or (f"row {row}" for row in range(len(images)))),
        groups=None if groups is None else np.array(groups, np.str_),
        parts=None if parts is None else np.array(parts, np.str_),
        preparation=tuple(preparation),
        skipped=tuple(skipped),
    )


def assemble_pictures(
    entries: Sequence[Entry],
    spec: DataSpec,
    *,
    source: str,
    known: Sequence[str] | None = None,
    preparation: Sequence[str] = (),
) -> LabelledImages:
    """Read the pictures of the entries and make LabelledImages of them.

    Groups and parts are known if every entry has one.

    Raises:
      DataError: classes are too few or too small, before or after reading; or a picture cannot
        be read.
    """
    labels = np.array([entry.label for entry in entries])
    numbers, names = number_classes(labels, source, known=known, wanted=spec.class_names)
    if spec.for_training:
        check_counts(numbers, names, source)
    pictures = read_pictures(entries, spec, source)
    kept = [entries[row] for row in pictures.kept]
    groups = [entry.group for entry in kept if entry.group is not None]
    parts = [entry.part for entry in kept if entry.part is not None]
    return assemble(
        pictures.images,
        labels[pictures.kept],
        spec,
        source=source,
        names=[entry.name for entry in kept],
        known=known,
        groups=groups if len(groups) == len(kept) else None,
        parts=parts if len(parts) == len(kept) else None,
        preparation=(*preparation, *pictures.preparation),
        skipped=pictures.skipped,
    )


def nominal_range(images: Images, source: str) -> tuple[float, float]:
    """The smallest and largest value that images of this kind may have."""
    if images.dtype.kind == "u":
        return 0.0, float(np.iinfo(images.dtype).max)
    low, high = float(images.min()), float(images.max())
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    if low == high:
        raise DataError(
            f"{source}: every pixel of every image is {low:g}.",
            remedy="Check how the images were made.",
        )
    return low, high
