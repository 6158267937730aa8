"""The split into a training, a validation and a test set."""

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from clearcnn.data.classes import quote
from clearcnn.data.labelled_images import SPLIT_NAMES, LabelledImages
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.specs import SplitSpec

Indices = NDArray[np.intp]

# Random orders of the groups, of which the one nearest the requested fractions is taken.
_TRIALS = 200

_MANY_IMAGES = 2_000
_SHARE, _SHARE_OF_MANY = 0.2, 0.1


@dataclass(frozen=True, eq=False)
class Split:
    """The rows of the images in each set; every image is in exactly one.

    Attributes:
      train, validation, test: int index arrays. Keras's `validation_split` on train followed by
        validation gives the same validation set.
    """

    train: Indices
    validation: Indices
    test: Indices


def split(data: LabelledImages, spec: SplitSpec | None = None) -> Split:
    """Split the images into a training, a validation and a test set.

    Sets that the source defines are kept. Without a test set, `test_fraction` of the images are
    held out; without a validation set, `validation_fraction` of the rest:

    - "random": the test set as in `sklearn.model_selection.train_test_split`, and the validation
      set as in Keras's `validation_split`: the last images of the shuffled rest;
    - "stratified": the same numbers of images, with the class proportions kept;
    - "group": whole groups; of 200 random choices of groups the one nearest the fractions, over
      all images and in each class.

    Args:
      data: the images; only their labels, groups and split names are used.
      spec: None takes the defaults of SplitSpec.
    Raises:
      DataError: a set would be empty, a class would have no image to train on or is too small to be
        stratified, or groups are unknown or too few.
    """
    spec = spec or SplitSpec()
    everything = np.arange(len(data))
    names = np.full(len(data), "train") if data.split_names is None else data.split_names
    rest, validation, test = (everything[names == name] for name in SPLIT_NAMES)
    if not len(rest):
        raise DataError(
            say("{source}: the source's split has no training images.", source=data.source),
            remedy=say("Add a training set, or remove the split from the source."),
        )
    wants_validation = not len(validation) and spec.validation_fraction != 0
    in_source_order = True
    if not len(test):
        num_test = math.ceil(spec.test_fraction * len(rest))
        rest, test = _hold_out(data, rest, num_test, spec, "test", spare=int(wants_validation))
        in_source_order = False
    if wants_validation:
        # Source: Keras's `train_validation_split`, with the same floating-point arithmetic.
        fraction = spec.validation_fraction
        if fraction is None:
            fraction = choose_validation_fraction(len(rest))
        at = math.floor(len(rest) * (1.0 - fraction))
        if spec.split == "random" and not in_source_order:
            rest, validation = rest[:at], rest[at:]
        else:
            rest, validation = _hold_out(data, rest, len(rest) - at, spec, "validation")
    _check_every_class_trains(data, rest)
    return Split(rest, validation, test)


def choose_validation_fraction(num_images: int) -> float:
    """Return the share of the images outside the test set that are kept for validation.

    A fifth, and of 2,000 images and more a tenth: these are enough to calibrate the probabilities
    and to decide about flips, and the others are worth more as training images.

    Args:
      num_images: outside the test set.
    """
    return _SHARE_OF_MANY if num_images >= _MANY_IMAGES else _SHARE


def name_test_set(data: LabelledImages) -> LabelledImages:
    """Make the validation set of a source the test set if the source has no other.

    `train/` and `val/` are how many data sets name the two sets that they have, and results are
    reported on the second.
    """
    if data.split_names is None or set(data.split_names.tolist()) != {"train", "validation"}:
        return data
    names = np.where(data.split_names == "validation", "test", data.split_names)
    said = say(
        "The source has a validation set and no test set: its validation set is the test "
        "set, and another validation set is split from the training images."
    )
    return replace(data, split_names=names, preparation=(*data.preparation, said))


def _hold_out(
    data: LabelledImages, rest: Indices, count: int, spec: SplitSpec, name: str, spare: int = 0
) -> tuple[Indices, Indices]:
    """Split rows into (the remaining ones, `count` held-out ones), both shuffled with the seed.

    Args:
      name: of the set that is held out.
      spare: the number of groups that must remain in addition to one for training.
    """
    if spec.split == "group":
        return _hold_out_groups(data, rest, count, spec, name, spare)
    if not 0 < count < len(rest):
        raise DataError(
            say(
                "{source}: with {count} of {num_images} images in the {name} set, that set or "
                "the training set is empty.",
                source=data.source,
                count=count,
                num_images=len(rest),
                name=name,
            ),
            remedy=say("Add images, or choose another fraction."),
        )
    if spec.split == "random":
        # As scikit-learn's `train_test_split`, without its import, which takes 0.8 seconds.
        order = np.random.RandomState(spec.seed).permutation(len(rest))
        return rest[order[count:]], rest[order[:count]]
    labels = data.labels[rest]
    _check_can_stratify(data, labels, count, name)
    from sklearn.model_selection import train_test_split

    remaining, held_out = train_test_split(
        rest, test_size=count, random_state=spec.seed, shuffle=True, stratify=labels
    )
    return remaining, held_out


def _hold_out_groups(
    data: LabelledImages, rest: Indices, count: int, spec: SplitSpec, name: str, spare: int
) -> tuple[Indices, Indices]:
    if data.groups is None:
        raise DataError(
            say(
                "{source}: the images have no groups, which a group split needs.",
                source=data.source,
            ),
            remedy=say("Add a group column to the metadata, or choose another split."),
        )
    names, codes = np.unique(data.groups[rest], return_inverse=True)
    most = len(names) - 1 - spare
    if most < 1:
        raise DataError(
            say(
                "{source}: {num_names} groups ({names}) are too few to hold out a {name} set; "
                "at least {fewest} are needed.",
                source=data.source,
                num_names=len(names),
                names=quote(names.tolist()),
                name=name,
                fewest=2 + spare,
            ),
            remedy=say("Choose another split, or add groups."),
        )
    table = np.zeros((len(names), len(data.class_names)))
    np.add.at(table, (codes, data.labels[rest]), 1)
    totals = np.maximum(table.sum(axis=0), 1)

    def cost(chosen: Indices) -> tuple[int, float]:
        counts = table[chosen].sum(axis=0)
        lost_classes = np.sum((counts == totals) & (counts > 0))
        share = count / len(rest)
        error = abs(counts.sum() / len(rest) - share) + np.abs(counts / totals - share).mean()
        return int(lost_classes), float(error)

    rng = np.random.default_rng(spec.seed)
    choices = []
    for _ in range(_TRIALS):
        order = rng.permutation(len(names))
        images = table[order].sum(axis=1).cumsum()
        choices.append(order[: 1 + int(np.argmin(np.abs(images[:most] - count)))])
    held_out = np.isin(codes, min(choices, key=cost))
    return rng.permutation(rest[~held_out]), rng.permutation(rest[held_out])


def _check_can_stratify(
    data: LabelledImages, labels: NDArray[np.int64], count: int, name: str
) -> None:
    counts = np.bincount(labels, minlength=len(data.class_names))
    if small := [each for each, c in zip(data.class_names, counts, strict=True) if c == 1]:
        total = int(np.sum(data.labels == data.class_names.index(small[0])))
        raise DataError(
            say(
                "{source}: class {small!r} ({total} images in total) has only one image left "
                "to divide between training and {name} set; at least 2 are needed to stratify.",
                source=data.source,
                small=small[0],
                total=total,
                name=name,
            ),
            remedy=say("Add images of this class, or choose the random split."),
        )
    present = int(np.sum(counts > 0))
    if min(count, len(labels) - count) < present:
        least = int(np.argmin(np.where(counts > 0, counts, counts.max() + 1)))
        raise DataError(
            say(
                "{source}: taking {count} of {num_labels} images for the {name} set leaves "
                "too few on one side for one image of each of {present} classes; class "
                "{class_names!r} has {images}.",
                source=data.source,
                count=count,
                num_labels=len(labels),
                name=name,
                present=present,
                class_names=data.class_names[least],
                images=counts[least],
            ),
            remedy=say("Add images, choose another fraction, or choose the random split."),
        )


def _check_every_class_trains(data: LabelledImages, train: Indices) -> None:
    counts = np.bincount(data.labels[train], minlength=len(data.class_names))
    totals = np.bincount(data.labels, minlength=len(data.class_names))
    lost = np.flatnonzero((counts == 0) & (totals > 0))
    if len(lost):
        listed = ", ".join(
            say(
                "{class_names!r} ({totals} images in total)",
                class_names=data.class_names[k],
                totals=totals[k],
            )
            for k in lost[:8]
        )
        raise DataError(
            say(
                "{source}: the training set has no image of the classes {listed}.",
                source=data.source,
                listed=listed,
            ),
            remedy=say(
                "Add images, or choose the stratified split, another seed or another fraction."
            ),
        )
