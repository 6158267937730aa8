"""Arrays of images and labels, by split, put together into LabelledImages."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clearcnn.data.array_labels import tidy_labels
from clearcnn.data.array_layout import arrange_images
from clearcnn.data.arrays import join_arrays, prepare_array
from clearcnn.data.build_dataset import build_from_array
from clearcnn.data.labelled_images import SPLIT_NAMES, LabelledImages
from clearcnn.errors import DataError
from clearcnn.language import join, say
from clearcnn.specs import DataSpec
from clearcnn.types import Array


@dataclass(frozen=True, eq=False)
class ArrayPart:
    """The images and labels of one split, as they are stored.

    Attributes:
      split: "train", "validation" or "test"; None if the source has no splits.
      images: of any layout that `arrange_images` reads.
      labels: as `tidy_labels` reads them.
      images_name, labels_name: of the arrays, for messages.
      groups: (n,) or (n, 1), the group of each image.
      by_columns: rows of pixels list the columns of the image first.
    """

    split: str | None
    images: Array
    labels: Array
    images_name: str
    labels_name: str
    groups: Array | None = None
    by_columns: bool = False


def build_from_parts(
    parts: Sequence[ArrayPart],
    spec: DataSpec,
    *,
    source: str,
    place: object,
    class_names: Sequence[str] | None = None,
    digit_ten: bool = False,
    preparation: Sequence[str] = (),
) -> LabelledImages:
    """Put the splits of a source together.

    Args:
      parts: at least one; each split once, or one without a split.
      spec: the wanted size, colour mode and classes.
      source: a description of what was read.
      place: the file or folder, for error messages.
      class_names: the source's own names, in the order of its labels, which may begin at 0 or 1.
      digit_ten: the label 10 stands for the digit 0.
      preparation: what was done so far, one sentence each.
    Raises:
      DataError: images and labels do not match, or the splits have images of different kinds.
    """
    ordered = sorted(parts, key=lambda part: SPLIT_NAMES.index(part.split or "train"))
    images, labels, sentences = [], [], list(preparation)
    for part in ordered:
        count = _count_labels(part)
        labels.append(tidy_labels(part.labels, f"{place}: {part.labels_name}", count))
        arranged, said = arrange_images(
            part.images,
            len(labels[-1]),
            spec,
            f"{place}: {part.images_name}",
            by_columns=part.by_columns,
        )
        images.append(arranged)
        sentences += [sentence for sentence in said if sentence not in sentences]
    _require_one_kind(images, place)
    joined = _join_labels(labels, place)
    if digit_ten and bool((joined == 10).any()):
        joined = joined % 10
        sentences.append(say("The label 10 read as the digit 0."))
    known, joined, said = _name_classes(joined, class_names)
    prepared, changes = prepare_array(join_arrays(images), spec, source)
    splits = [part.split for part in ordered]
    if len(set(splits)) == 1:
        splits = [None] * len(ordered)  # One split alone is the whole source, to be split again.
    rows = [
        (split, row) for split, some in zip(splits, labels, strict=True) for row in range(len(some))
    ]
    groups = [part.groups for part in ordered if part.groups is not None]
    return build_from_array(
        prepared,
        joined,
        spec,
        source=source,
        known=known,
        names=[
            say("{split} row {row}", split=split, row=row) if split else say("row {row}", row=row)
            for split, row in rows
        ],
        groups=[
            str(each)
            for group in groups
            for each in tidy_labels(group, say("{place}: groups", place=place))
        ]
        if len(groups) == len(ordered)
        else None,
        split_names=[split for split, _ in rows if split] if None not in splits else None,
        preparation=(*sentences, *said, *changes),
    )


def _count_labels(part: ArrayPart) -> int | None:
    """Which of the axes of two-dimensional labels counts the images."""
    shape = part.labels.shape
    if len(shape) != 2 or not part.images.ndim:
        return None
    ends = (part.images.shape[0], part.images.shape[-1])
    return int(shape[1] if shape[0] not in ends and shape[1] in ends else shape[0])


def _require_one_kind(images: Sequence[Array], place: object) -> None:
    kinds = {(some.shape[1:], some.dtype.name) for some in images}
    if len(kinds) > 1:
        listed = join(
            say(" and "),
            (say("{shape} of {dtype}", shape=shape, dtype=dtype) for shape, dtype in sorted(kinds)),
        )
        raise DataError(
            say(
                "{place}: the splits have images of different kinds: {listed}.",
                place=place,
                listed=listed,
            ),
            remedy=say("Store all images in the same shape and dtype."),
        )


def _join_labels(labels: Sequence[Array], place: object) -> Array:
    if len({some.dtype.kind for some in labels}) > 1:
        raise DataError(
            say("{place}: the labels are text in one split and numbers in another.", place=place),
            remedy=say("Store class names or class indices in every split."),
        )
    return np.concatenate(labels)


def _name_classes(
    labels: Array, class_names: Sequence[str] | None
) -> tuple[Sequence[str] | None, Array, tuple[str, ...]]:
    """Return (known names, labels, sentences): labels from 1 are indices into the names from 0."""
    if labels.dtype.kind != "i" or not len(labels):
        return None, labels, ()
    low, high = int(labels.min()), int(labels.max())
    if class_names is None:
        said = say(
            "Labels {low} to {high} kept as class names: they begin at {low}, not at 0.",
            low=low,
            high=high,
        )
        return None, labels, (said,) if low == 1 else ()
    if low >= 1 and high == len(class_names):
        said = say(
            "Labels 1 to {high} named {first!r} to {last!r}.",
            high=high,
            first=class_names[0],
            last=class_names[-1],
        )
        return class_names, labels - 1, (said,)
    return class_names, labels, ()
