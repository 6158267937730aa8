"""`read_objects`: LabelledImages from images and labels in Python."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from clearcnn.data.array_layout import arrange_rows
from clearcnn.data.arrays import prepare_array, whole_numbers
from clearcnn.data.build_dataset import build_from_array, build_from_files
from clearcnn.data.classes import report_unlabelled, shorten
from clearcnn.data.decode_image import DecodedImage, decode_picture
from clearcnn.data.image_files import Entry
from clearcnn.data.label_tables.label_texts import several_labels, unify_labels
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.data.python_objects.recognise import read_samples
from clearcnn.data.python_objects.samples import Samples
from clearcnn.data.safe_files import SourceFile
from clearcnn.data.split_names import require_split_name
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.specs import PYTHON_SOURCE, DataSpec
from clearcnn.types import Array


def read_objects(source: object, spec: DataSpec) -> LabelledImages:
    """Read images and labels from a Python object.

    Args:
      source: as `load` lists them.
      spec: how to read them; its source is not used.
    Raises:
      DataError: the object is of an unknown kind, or an image or a label is.
    """
    samples = read_samples(source, spec)
    place = say(
        "{python_source}{kind}, {num_samples:,} images",
        python_source=PYTHON_SOURCE,
        kind=samples.kind,
        num_samples=len(samples),
    )
    if len(samples.labels) != len(samples) or not len(samples):
        raise DataError(
            say("{place}, but {num_labels:,} labels.", place=place, num_labels=len(samples.labels)),
            remedy=say("Give one label for each image, and at least one image."),
        )
    samples = _leave_out_unlabelled(samples)
    labels, known, sentences = _read_labels(samples, place)
    sentences = (*samples.notes, *sentences)
    splits = (
        None
        if samples.splits is None
        else [require_split_name(str(split), place) for split in samples.splits]
    )
    groups = None if samples.groups is None else list(map(str, samples.groups))
    array = _as_array(samples.images)
    if array is not None:
        rows_said: tuple[str, ...] = ()
        if array.ndim == 2:
            array, rows_said = arrange_rows(whole_numbers(array), spec, place)
        images, said = prepare_array(array, spec, place)
        return build_from_array(
            images,
            np.array(labels),
            spec,
            source=place,
            known=known,
            groups=groups,
            split_names=splits,
            preparation=(*sentences, *rows_said, *said),
        )
    entries = [
        Entry(
            name=str(image) if isinstance(image, (str, os.PathLike)) else say("row {row}", row=row),
            label=label,
            read=_reader_of(image, say("row {row}", row=row)),
            group=None if groups is None else groups[row],
            split_name=None if splits is None else splits[row],
        )
        for row, (image, label) in enumerate(zip(samples.images, labels, strict=True))
    ]
    return build_from_files(entries, spec, source=place, known=known, preparation=sentences)


def _leave_out_unlabelled(samples: Samples) -> Samples:
    """Leave out images with the label -1, as test sets of benchmarks have, whose labels are secret.

    Without names and other labels, -1 and 1 may be classes.
    """
    labels = [_to_scalar(label) for label in samples.labels]
    rows = [row for row, label in enumerate(labels) if not isinstance(label, int) or label != -1]
    integers = {label for label in labels if isinstance(label, int)}
    is_none = samples.class_names is not None or bool(integers - {-1, 1})
    if len(rows) == len(labels) or not rows or not is_none:
        return samples
    count = len(labels) - len(rows)

    def keep(values: "Sequence[object] | Array | None") -> list[object] | None:
        return None if values is None else [values[row] for row in rows]

    return replace(
        samples,
        images=keep(samples.images) or [],
        labels=keep(samples.labels) or [],
        groups=keep(samples.groups),
        splits=keep(samples.splits),
        notes=(*samples.notes, report_unlabelled(count)),
    )


def _read_labels(
    samples: Samples, place: str
) -> tuple[Sequence[str | int], tuple[str, ...] | None, tuple[str, ...]]:
    """Return labels as texts, or as integers; the class names if they are known; and sentences."""
    values = _read_one_hot(samples.labels, place) or [_to_scalar(v) for v in samples.labels]
    wrong = next(
        (k for k, v in enumerate(values) if not isinstance(v, (int, str)) or v == ""), None
    )
    if wrong is not None:
        raise DataError(
            say(
                "{place}: row {wrong} has the label {labels}; expected a whole number or a text.",
                place=place,
                wrong=wrong,
                labels=shorten(repr(samples.labels[wrong])),
            ),
            remedy=say("Leave out images without a label."),
        )
    integers = [value for value in values if isinstance(value, int)]
    if len(integers) == len(values):
        return integers, samples.class_names, ()
    labels, sentences = unify_labels([str(value).strip() for value in values], place)
    return labels, samples.class_names, sentences


def _read_one_hot(labels: Sequence[object], place: str) -> list[object] | None:
    """Return the position of the 1 in each of several rows of 0 and 1; None for other labels."""
    rows = [label.tolist() if hasattr(label, "tolist") else label for label in labels]
    if not all(isinstance(row, list) and len(row) > 1 and {*row} <= {0, 1} for row in rows):
        return None
    several = [k for k, row in enumerate(rows) if isinstance(row, list) and sum(row) != 1]
    if several:
        example = say("row {row} has {dimensions}", row=several[0], dimensions=rows[several[0]])
        raise several_labels(place, len(several), len(rows), example)
    return [row.index(1) for row in rows if isinstance(row, list)]


def _to_scalar(label: Any) -> object:
    """Convert NumPy's and PyTorch's scalars to Python's; whole floats to int."""
    if (
        not isinstance(label, (str, int))
        and hasattr(label, "item")
        and getattr(label, "size", 1) in (1,)
    ) or (callable(getattr(label, "numel", None)) and label.numel() == 1):
        label = label.item()
    if isinstance(label, bool):
        return int(label)
    return int(label) if isinstance(label, float) and label.is_integer() else label


def _as_array(images: "Array | Sequence[object]") -> Array | None:
    """Return images that are one array, or arrays of one shape; None for others."""
    if not isinstance(images, (list, tuple)):
        return _channels_last(images) if hasattr(images, "shape") else None
    images = [_from_lists(image) for image in images]
    if not all(hasattr(image, "shape") for image in images):
        return None
    arrays = [_channels_last(image) for image in images]
    same = len({(array.shape, array.dtype) for array in arrays}) == 1
    return np.stack(arrays) if same else None


def _from_lists(image: object) -> object:
    """Convert rows of numbers in lists to an array; other images, and uneven rows, stay."""
    if isinstance(image, list):
        with suppress(ValueError):
            array = np.array(image)
            return array if array.ndim >= 2 and array.dtype.kind in "iufb" else image
    return image


def _channels_last(array: Any) -> Array:
    """Convert to NumPy; tensors of PyTorch, which have `permute`, have their channels first."""
    is_tensor = callable(getattr(array, "permute", None))
    try:
        pixels = np.asarray(array.detach().cpu() if is_tensor else array)
    except TypeError:  # NumPy has no bfloat16.
        pixels = np.asarray(array.detach().cpu().float())
    if is_tensor and pixels.ndim >= 3 and pixels.shape[-3] in (1, 3):
        pixels = np.moveaxis(pixels, -3, -1)
    return pixels


def _reader_of(image: object, name: str) -> Callable[[], bytes | DecodedImage]:
    if isinstance(image, (str, os.PathLike)):
        return SourceFile(Path(image))
    if isinstance(image, Image.Image):
        return partial(decode_picture, image, name)
    if isinstance(image, bytes):
        return lambda: image
    if isinstance(image, dict) and isinstance(image.get("bytes"), bytes):
        return partial(dict.__getitem__, image, "bytes")
    if hasattr(image, "shape"):
        return partial(_decode_array, image, name)
    raise DataError(
        say(
            "{name} is a {other_name}; expected a Pillow image, an array, or the path of an image "
            "file.",
            name=name,
            other_name=type(image).__name__,
        ),
        remedy=say("Convert the images first, for example with PIL.Image.fromarray."),
    )


def _decode_array(image: object, name: str) -> DecodedImage:
    pixels = _channels_last(image)
    # As a data set of one image, which has the same rules; its size is chosen later.
    (pixels,), _ = prepare_array(pixels[np.newaxis], DataSpec(size=pixels.shape[:2]), name)
    return DecodedImage(pixels.shape[:2], pixels)
