"""The last step of every source: number the classes, check the counts, build LabelledImages."""

from collections.abc import Sequence

import numpy as np

from clearcnn.data.bit_depth import find_used_range
from clearcnn.data.classes import check_counts, number_classes
from clearcnn.data.image_files import Entry, read_images
from clearcnn.data.labelled_images import Images, LabelledImages
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.results.train import SkippedFile
from clearcnn.specs import DataSpec
from clearcnn.types import Array


def build_from_array(
    images: Images,
    labels: Sequence[str] | Array,
    spec: DataSpec,
    *,
    source: str,
    names: Sequence[str] | None = None,
    known: Sequence[str] | None = None,
    groups: Sequence[str] | None = None,
    split_names: Sequence[str] | None = None,
    value_range: tuple[float, float] | None = None,
    are_files: bool = False,
    preparation: Sequence[str] = (),
    skipped: Sequence[SkippedFile] = (),
) -> LabelledImages:
    """Build LabelledImages from an array of prepared images and the source's labels.

    Args:
      images: (n, height, width, channels), as `prepare_array` or `read_images` give them.
      labels: (n,) of str or of integers.
      spec: has the requested class names, and whether the images are for training.
      names: the name of each image; None numbers them: "row 0", "row 1", ….
      source: a description for error messages.
      known: the names of all classes, if the source lists them.
      value_range: None takes the bits that integers make use of, [0, 1] for floats inside it, and
        otherwise the range of the pixels.
      are_files: the images were image files, whose 8 bits a channel always go to 255.
    Raises:
      DataError: the numbers of images and labels differ, there are too few classes or too few
        images in one, or all pixels are equal.
    """
    if len(images) != len(labels):
        raise DataError(
            say(
                "{source}: {num_images} images, but {num_labels} labels.",
                source=source,
                num_images=len(images),
                num_labels=len(labels),
            ),
            remedy=say("Give one label for each image."),
        )
    numbers, class_names = number_classes(labels, source, known=known, wanted=spec.class_names)
    if spec.for_training:
        check_counts(numbers, class_names, source)
    said: tuple[str, ...] = ()
    if value_range is None:
        value_range = nominal_range(images, source)
        if images.dtype.kind == "u":
            value_range, said = find_used_range(images, are_files=are_files)
    return LabelledImages(
        images=images,
        labels=numbers,
        class_names=class_names,
        source=source,
        value_range=value_range,
        names=tuple(names or (say("row {row}", row=row) for row in range(len(images)))),
        groups=None if groups is None else np.array(groups, np.str_),
        split_names=None if split_names is None else np.array(split_names, np.str_),
        preparation=(*preparation, *said),
        skipped=tuple(skipped),
    )


def build_from_files(
    entries: Sequence[Entry],
    spec: DataSpec,
    *,
    source: str,
    known: Sequence[str] | None = None,
    preparation: Sequence[str] = (),
) -> LabelledImages:
    """Read image files and build LabelledImages from them.

    Groups and split names are kept if every entry has one.

    Raises:
      DataError: there are too few classes or too few images in one, before or after unreadable
        files are skipped; or an image cannot be read.
    """
    labels = np.array([entry.label for entry in entries])
    numbers, names = number_classes(labels, source, known=known, wanted=spec.class_names)
    if spec.for_training:
        check_counts(numbers, names, source)
    read = read_images(entries, spec, source)
    kept = [entries[row] for row in read.kept]
    groups = [entry.group for entry in kept if entry.group is not None]
    splits = [entry.split_name for entry in kept if entry.split_name is not None]
    return build_from_array(
        read.images,
        labels[read.kept],
        spec,
        source=source,
        names=[entry.name for entry in kept],
        known=known,
        groups=groups if len(groups) == len(kept) else None,
        split_names=splits if len(splits) == len(kept) else None,
        are_files=True,
        preparation=(*preparation, *read.preparation),
        skipped=read.skipped,
    )


def nominal_range(images: Images, source: str) -> tuple[float, float]:
    """Return the smallest and largest value that images of this kind may have."""
    if images.dtype.kind == "u":
        return 0.0, float(np.iinfo(images.dtype).max)
    low, high = float(images.min()), float(images.max())
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    if low == high:
        raise DataError(
            say("{source}: every pixel of every image is {low:g}.", source=source, low=low),
            remedy=say("Check how the images were created."),
        )
    return low, high
