"""The split: which images train, which choose the model, and which test it once, at the end."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcnn.data.classes import quote
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.errors import DataError
from clearcnn.specs import SplitSpec

Indices = NDArray[np.intp]

# Orders of the groups that are tried for the shares nearest the wanted ones.
_TRIALS = 200


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of the images in each part; every image is in exactly one.

    Attributes:
      train, validation, test: int index arrays; in train followed by validation, validation is
        what Keras's `validation_split` would take from the end.
    """

    train: Indices
    validation: Indices
    test: Indices


def split(data: LabelledImages, spec: SplitSpec | None = None) -> Split:
    """Part the images for training, validation and test.

    Parts that the source gives are kept. Where it gives no test part, `test_fraction` of the
    images is carved off; where it gives no validation part, `validation_fraction` of the rest:

    - "random": the test as `sklearn.model_selection.train_test_split` takes it, and the
      validation as Keras's `validation_split` does, the last of the shuffled rest;
    - "stratified": as many images, with the shares of the classes kept;
    - "group": whole groups, as near the fractions as 200 random choices of groups come, over
      all images and for each class.

    Args:
      data: the images, of which labels, groups and parts are looked at.
      spec: None takes the defaults of SplitSpec.
    Raises:
      DataError: a part or a class would have no image to train on, a class is too small to be
        stratified, or groups are unknown or too few.
    """
    spec = spec or SplitSpec()
    everything = np.arange(len(data))
    parts = np.full(len(data), "train") if data.parts is None else data.parts
    rest, validation, test = (everything[parts == p] for p in ("train", "validation", "test"))
    if not len(rest):
        raise DataError(
            f"{data.source}: the given parts leave no image to train on.",
            remedy="Give a train part too, or data without parts.",
        )
    wants_validation = not len(validation) and spec.validation_fraction > 0
    in_source_order = True
    if not len(test):
        num_test = math.ceil(spec.test_fraction * len(rest))
        rest, test = _carve(data, rest, num_test, spec, "test", spare=int(wants_validation))
        in_source_order = False
    if wants_validation:
        # Source: `train_validation_split` of Keras, to the last bit of its arithmetic.
        at = math.floor(len(rest) * (1.0 - spec.validation_fraction))
        if spec.split == "random" and not in_source_order:
            rest, validation = rest[:at], rest[at:]
        else:
            rest, validation = _carve(data, rest, len(rest) - at, spec, "validation")
    _check_every_class_trains(data, rest)
    return Split(rest, validation, test)


def _carve(
    data: LabelledImages, rest: Indices, count: int, spec: SplitSpec, part: str, spare: int = 0
) -> tuple[Indices, Indices]:
    """(what stays, `count` images for `part`), both shuffled by the seed.

    Args:
      spare: groups that must stay beside one for training.
    """
    if spec.split == "group":
        return _carve_groups(data, rest, count, spec, part, spare)
    if not 0 < count < len(rest):
        raise DataError(
            f"{data.source}: taking {count} of {len(rest)} images for {part} leaves one side "
            "empty.",
            remedy="Give more images, or another fraction.",
        )
    labels = data.labels[rest] if spec.split == "stratified" else None
    if labels is not None:
        _check_can_stratify(data, labels, count, part)
    from sklearn.model_selection import train_test_split

    stays, carved = train_test_split(
        rest, test_size=count, random_state=spec.seed, shuffle=True, stratify=labels
    )
    return stays, carved


def _carve_groups(
    data: LabelledImages, rest: Indices, count: int, spec: SplitSpec, part: str, spare: int
) -> tuple[Indices, Indices]:
    if data.groups is None:
        raise DataError(
            f"{data.source}: the images have no groups, so no split can keep them whole.",
            remedy="Give a group column in the metadata, or choose another split.",
        )
    names, codes = np.unique(data.groups[rest], return_inverse=True)
    most = len(names) - 1 - spare
    if most < 1:
        raise DataError(
            f"{data.source}: {len(names)} groups ({quote(names.tolist())}) are too few to carve "
            f"off {part}; {2 + spare} are needed.",
            remedy="Choose another split, or give more groups.",
        )
    table = np.zeros((len(names), len(data.class_names)))
    np.add.at(table, (codes, data.labels[rest]), 1)
    totals = np.maximum(table.sum(axis=0), 1)

    def badness(chosen: Indices) -> tuple[int, float]:
        carved = table[chosen].sum(axis=0)
        lost = np.sum((carved == totals) & (carved > 0))
        share = count / len(rest)
        uneven = abs(carved.sum() / len(rest) - share) + np.abs(carved / totals - share).mean()
        return int(lost), float(uneven)

    rng = np.random.default_rng(spec.seed)
    choices = []
    for _ in range(_TRIALS):
        order = rng.permutation(len(names))
        images = table[order].sum(axis=1).cumsum()
        choices.append(order[: 1 + int(np.argmin(np.abs(images[:most] - count)))])
    carved = np.isin(codes, min(choices, key=badness))
    return rng.permutation(rest[~carved]), rng.permutation(rest[carved])


def _check_can_stratify(
    data: LabelledImages, labels: NDArray[np.int64], count: int, part: str
) -> None:
    counts = np.bincount(labels, minlength=len(data.class_names))
    if small := [name for name, c in zip(data.class_names, counts, strict=True) if c == 1]:
        total = int(np.sum(data.labels == data.class_names.index(small[0])))
        raise DataError(
            f"{data.source}: of class {small[0]!r} ({total} images in all) one image is left, "
            f"which cannot be shared with {part}; 2 or more are needed to stratify.",
            remedy="Add images of this class, or choose the random split.",
        )
    present = int(np.sum(counts > 0))
    if min(count, len(labels) - count) < present:
        least = int(np.argmin(np.where(counts > 0, counts, counts.max() + 1)))
        raise DataError(
            f"{data.source}: {count} of {len(labels)} images for {part} are too few to hold one "
            f"of each of {present} classes; class {data.class_names[least]!r} has "
            f"{counts[least]}.",
            remedy="Add images, take another fraction, or choose the random split.",
        )


def _check_every_class_trains(data: LabelledImages, train: Indices) -> None:
    counts = np.bincount(data.labels[train], minlength=len(data.class_names))
    totals = np.bincount(data.labels, minlength=len(data.class_names))
    lost = np.flatnonzero((counts == 0) & (totals > 0))
    if len(lost):
        listed = ", ".join(f"{data.class_names[k]!r} ({totals[k]} images in all)" for k in lost[:8])
        raise DataError(
            f"{data.source}: the split leaves no image to train on of the classes {listed}.",
            remedy="Add images of them, choose the stratified split, another seed or fraction.",
        )
