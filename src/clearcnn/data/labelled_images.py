"""Labelled images in memory: what every source becomes."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcnn.errors import DataError
from clearcnn.results.train import SkippedFile

DTYPES = ("uint8", "uint16", "float32")
PARTS = ("train", "validation", "test")

Images = NDArray[Any]
Labels = NDArray[np.int64]
Words = NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images with their labels, and all that is known about where they come from.

    Attributes:
      images: (n, height, width, channels), uint8, uint16 or float32; 1 or 3 channels. Given
        as float64, they are stored as float32, and `preparation` says so.
      labels: (n,) int64, an index into `class_names`.
      class_names: at least one; in natural order, or in the order the user gave.
      source: what was read, in words.
      value_range: the smallest and largest value an image of this kind may have.
      names: the file name of each image, or its row in words.
      groups: (n,) str, images that belong together, such as one hand's writing; None if unknown.
      parts: (n,) str, "train", "validation" or "test" as the source gives them; None if it does
        not.
      preparation: what was done to the pictures, one sentence each.
      skipped: files that could not be read and were left out because the user said so.
      resize_filter: Pillow's name of the filter that resizes a picture to this shape.
      background: what transparent pictures are laid on.
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
    parts: Words | None = None
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
        for name in ("labels", "names", "groups", "parts"):
            value = getattr(self, name)
            if value is not None and len(value) != len(self.images):
                raise DataError(
                    f"{self.source}: {len(self.images)} images but {len(value)} {name}.",
                    remedy=f"Give one of {name} for each image.",
                )
        if self.parts is not None and (unknown := sorted(set(self.parts.tolist()) - set(PARTS))):
            raise DataError(
                f"{self.source}: the parts {', '.join(map(repr, unknown))} are not known.",
                remedy=f"Name the parts {', '.join(PARTS)}.",
            )
        low, high = self.value_range
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise DataError(
                f"{self.source}: value_range={self.value_range} is not a range of numbers.",
                remedy="Give the smallest and the largest value an image may have.",
            )

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over shape, dtype, class names, pixels, labels, groups and parts, in hex."""
        head = {
            "shape": self.images.shape,
            "dtype": self.images.dtype.newbyteorder("<").str,
            "class_names": self.class_names,
            "groups": None if self.groups is None else self.groups.tolist(),
            "parts": None if self.parts is None else self.parts.tolist(),
        }
        digest = hashlib.sha256(json.dumps(head).encode())
        for array in (self.images, self.labels):
            little = array.astype(array.dtype.newbyteorder("<"), copy=False)
            digest.update(np.ascontiguousarray(little).view(np.uint8).data)
        return digest.hexdigest()

    def take(self, indices: Sequence[int] | NDArray[np.integer[Any]]) -> "LabelledImages":
        """The images at `indices`, in that order, with everything that belongs to them.

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
            parts=None if self.parts is None else self.parts[rows],
        )


def narrow(images: Images, source: str) -> tuple[Images, str]:
    """Store float64 as float32, the type that networks compute in, phones and browsers, too.

    Args:
      images: (n, height, width, channels), float64.
      source: what to call them in an error.
    Returns:
      (images, sentence): float32, and what was done.
    Raises:
      DataError: a value is not finite, or beyond float32.
    """
    check_finite(images, source)
    with np.errstate(over="ignore"):
        stored = images.astype(np.float32)
    if not np.isfinite(stored).all():
        raise DataError(
            f"{source}: images hold values up to {np.abs(images).max():g}; float32, which networks "
            f"compute in, holds up to {np.finfo(np.float32).max:g}.",
            remedy="Scale the images, to 0 to 1 for example.",
        )
    return stored, "float64 stored as float32, which models compute in on every device."


def check_finite(images: Images, source: str) -> None:
    """Raise a DataError that names the first pixel that is NaN or infinite."""
    if images.dtype.kind == "f" and not np.isfinite(images).all():
        row, y, x, channel = np.argwhere(~np.isfinite(images))[0]
        raise DataError(
            f"{source}: image {row} holds {images[row, y, x, channel]} at row {y}, column {x}; "
            "finite numbers were expected.",
            remedy="Replace or leave out images with NaN or infinite values.",
        )


def _check_images(images: Images, source: str) -> None:
    if images.ndim != 4 or images.shape[3] not in (1, 3) or 0 in images.shape:
        raise DataError(
            f"{source}: images have the shape {images.shape}; "
            "(n, height, width, channels) with 1 or 3 channels was expected.",
            remedy="Reshape the images.",
        )
    if images.dtype.name not in DTYPES:
        raise DataError(
            f"{source}: images have the dtype {images.dtype}; one of {', '.join(DTYPES)} "
            "was expected.",
            remedy="Convert the images with astype.",
        )
    check_finite(images, source)


def _check_labels(labels: Labels, class_names: tuple[str, ...], source: str) -> None:
    if labels.ndim != 1 or labels.dtype != np.int64:
        raise DataError(
            f"{source}: labels have the shape {labels.shape} and dtype {labels.dtype}; "
            "(n,) of int64 was expected.",
            remedy="Give one class index per image.",
        )
    if not class_names or len(set(class_names)) != len(class_names):
        raise DataError(
            f"{source}: class_names={class_names} must name each class once.",
            remedy="Give distinct class names.",
        )
    if len(labels) and not (labels.min() >= 0 and labels.max() < len(class_names)):
        raise DataError(
            f"{source}: labels range from {labels.min()} to {labels.max()}, but there are "
            f"{len(class_names)} classes.",
            remedy=f"Give labels in 0..{len(class_names) - 1}.",
        )
