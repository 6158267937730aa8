"""Labelled images in memory; every source becomes one of these."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.results.record import Shown
from clearcnn.results.train import SkippedFile
from clearcnn.types import Array

DTYPES = ("uint8", "uint16", "float32")
SPLIT_NAMES = ("train", "validation", "test")

Images = Array
Labels = NDArray[np.int64]
Words = NDArray[np.str_]


@dataclass(frozen=True, eq=False, repr=False)
class LabelledImages(Shown):
    """Images with their labels and what is known about their source.

    Attributes:
      images: (n, height, width, channels), uint8, uint16 or float32; 1 or 3 channels. Given
        as float64, they are converted to float32, and `preparation` says so.
      labels: (n,) int64, an index into `class_names`.
      class_names: at least one; in natural order, or in the order that the user gave.
      source: a description of what was read.
      value_range: the smallest and largest value an image of this kind may have.
      names: the file name of each image, or its row, such as "row 7".
      groups: (n,) str, the group of each image, such as its writer; None if unknown.
      split_names: (n,) str, "train", "validation" or "test", if the source gives a split; otherwise
        None.
      preparation: what was done to the images, one sentence each.
      skipped: files that could not be read, left out because the user allowed it.
      resize_filter: Pillow's name of the filter that resizes an image to this shape.
      background: the color behind transparent pixels.
    Raises:
      DataError: the fields contradict each other.
    """

    images: Images
    labels: Labels
    class_names: tuple[str, ...]
    source: str
    value_range: tuple[float, float]
    names: tuple[str, ...]
    groups: Words | None = None
    split_names: Words | None = None
    preparation: tuple[str, ...] = ()
    skipped: tuple[SkippedFile, ...] = ()
    resize_filter: str = "bilinear"
    background: str = "white"

    def __post_init__(self) -> None:
        if self.images.dtype == np.float64 and self.images.ndim == 4:
            stored, sentence = narrow(self.images, self.source)
            object.__setattr__(self, "images", stored)
            object.__setattr__(self, "preparation", (*self.preparation, sentence))
        _check_images(self.images, self.source)
        _check_labels(self.labels, self.class_names, self.source)
        for name in ("labels", "names", "groups", "split_names"):
            value = getattr(self, name)
            if value is not None and len(value) != len(self.images):
                raise DataError(
                    say(
                        "{source}: {num_images} images, but {number} {name}.",
                        source=self.source,
                        num_images=len(self.images),
                        number=len(value),
                        name=name,
                    ),
                    remedy=say("Give {name} one entry for each image.", name=name),
                )
        unknown = (
            set() if self.split_names is None else {*self.split_names.tolist()} - {*SPLIT_NAMES}
        )
        if unknown:
            raise DataError(
                say(
                    "{source}: unknown split names: {names}.",
                    source=self.source,
                    names=", ".join(map(repr, sorted(unknown))),
                ),
                remedy=say("Use {split_names}.", split_names=", ".join(SPLIT_NAMES)),
            )
        low, high = self.value_range
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise DataError(
                say(
                    "{source}: value_range={value_range} is not valid; expected two finite "
                    "numbers, the smaller one first.",
                    source=self.source,
                    value_range=self.value_range,
                ),
                remedy=say("Give the smallest and the largest value an image may have."),
            )

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        return say(
            "LabelledImages({source!r}: {shape} {dtype}, {num_class_names:,} classes)",
            source=self.source,
            shape=self.images.shape,
            dtype=self.images.dtype,
            num_class_names=len(self.class_names),
        )

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over shape, dtype, class names, pixels, labels, groups and splits, in hex."""
        head = {
            "shape": self.images.shape,
            "dtype": self.images.dtype.newbyteorder("<").str,
            "class_names": self.class_names,
            "groups": None if self.groups is None else self.groups.tolist(),
            "parts": None if self.split_names is None else self.split_names.tolist(),
        }
        digest = hashlib.sha256(json.dumps(head).encode())
        for array in (self.images, self.labels):
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            digest.update(np.ascontiguousarray(little).view(np.uint8).data)
        return digest.hexdigest()

    def take(self, indices: Sequence[int] | Array) -> "LabelledImages":
        """Select the images at `indices`, in that order, with their labels, names and groups.

        Args:
          indices: (m,) int, each in 0..n-1; may repeat.
        Returns:
          LabelledImages of length m with the same class names.
        """
        rows = np.asarray(indices, dtype=np.intp)
        return dataclasses.replace(
            self,
            images=self.images[rows],
            labels=self.labels[rows],
            names=tuple(self.names[row] for row in rows),
            groups=None if self.groups is None else self.groups[rows],
            split_names=None if self.split_names is None else self.split_names[rows],
        )


def narrow(images: Images, source: str) -> tuple[Images, str]:
    """Convert float64 to float32, in which networks compute on every device.

    Args:
      images: (n, height, width, channels), float64.
      source: a description for error messages.
    Returns:
      (images, sentence): float32, and a description of the conversion.
    Raises:
      DataError: a value is NaN, infinite, or beyond the range of float32.
    """
    check_finite(images, source)
    with np.errstate(over="ignore"):
        stored = images.astype(np.float32)
    if not np.isfinite(stored).all():
        raise DataError(
            say(
                "{source}: images have values up to {largest:g}; networks compute in float32, "
                "whose largest value is {limit:g}.",
                source=source,
                largest=np.abs(images).max(),
                limit=np.finfo(np.float32).max,
            ),
            remedy=say("Scale the images, for example to the range 0 to 1."),
        )
    return stored, say("float64 stored as float32, which models compute in on every device.")


def check_finite(images: Images, source: str) -> None:
    """Raise a DataError that names the first pixel that is NaN or infinite."""
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        row, y, x, channel = np.argwhere(~np.isfinite(images))[0]
        raise DataError(
            say(
                "{source}: image {row} has the value {value} at row {pixel_row}, column {column}; "
                "expected finite numbers.",
                source=source,
                row=row,
                value=images[row, y, x, channel],
                pixel_row=y,
                column=x,
            ),
            remedy=say("Fix or remove images with NaN or infinite values."),
        )


def _check_images(images: Images, source: str) -> None:
    if images.ndim != 4 or images.shape[3] not in (1, 3) or 0 in images.shape:
        raise DataError(
            say(
                "{source}: images have the shape {shape}; expected (n, height, width, "
                "channels) with 1 or 3 channels.",
                source=source,
                shape=images.shape,
            ),
            remedy=say("Reshape the images."),
        )
    if images.dtype.name not in DTYPES:
        raise DataError(
            say(
                "{source}: images have the dtype {dtype}; expected one of {dtypes}.",
                source=source,
                dtype=images.dtype,
                dtypes=", ".join(DTYPES),
            ),
            remedy=say("Convert the images with astype."),
        )
    check_finite(images, source)


def _check_labels(labels: Labels, class_names: tuple[str, ...], source: str) -> None:
    if labels.ndim != 1 or labels.dtype != np.int64:
        raise DataError(
            say(
                "{source}: labels have the shape {shape} and dtype {dtype}; expected (n,) of "
                "int64.",
                source=source,
                shape=labels.shape,
                dtype=labels.dtype,
            ),
            remedy=say("Give one class index per image."),
        )
    if not class_names or len(set(class_names)) != len(class_names):
        raise DataError(
            say(
                "{source}: class_names={class_names} is empty or has duplicates.",
                source=source,
                class_names=class_names,
            ),
            remedy=say("Name each class once."),
        )
    if len(labels) and not (labels.min() >= 0 and labels.max() < len(class_names)):
        raise DataError(
            say(
                "{source}: labels range from {low} to {high}, but there are "
                "{num_class_names} classes.",
                source=source,
                low=labels.min(),
                high=labels.max(),
                num_class_names=len(class_names),
            ),
            remedy=say(
                "Give labels in 0..{num_class_names}.", num_class_names=len(class_names) - 1
            ),
        )
