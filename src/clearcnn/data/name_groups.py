"""Groups of images from their names: tracks, patients, or augmented copies of one picture."""

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcnn.data.classes import quote
from clearcnn.data.duplicates import to_unit_vectors
from clearcnn.data.labelled_images import LabelledImages
from clearcnn.errors import DataError
from clearcnn.language import say

PATTERNS = (
    r"(.+)_(?:png|jpe?g|bmp|webp)\.rf\.",  # Roboflow's copies: NAME_jpg.rf.HASH.jpg
    r"(.+)[_-][0-9]+\.",  # TRACK_FRAME.png
    r"^((?:.*/)?[^/_-]+)[_-]",  # PATIENT_anything.png
)
_LEAST_GROUPED = 0.5
_LEAST_GAIN = 0.2
_MOST_PAIRS = 2_000


@dataclass(frozen=True)
class NameGroups:
    """A regular expression that finds groups of images that look alike.

    Attributes:
      pattern: as for `groups_from_name`.
      groups: (n,) the group of each image.
      num_groups: how many there are.
      alike: the median correlation of the pixels of two images of one group.
      others: the same for two images of one class, but of different groups.
      example: a name, and the group in it.
    """

    pattern: str
    groups: NDArray[np.str_]
    num_groups: int
    alike: float
    others: float
    example: tuple[str, str]

    def estimate_leak(self, test_fraction: float) -> float:
        """Estimate the share of test images whose group is in the training set too.

        Args:
          test_fraction: of a random split.
        """
        _, counts = np.unique(self.groups, return_counts=True)
        return float((counts * (1 - test_fraction ** (counts - 1))).sum() / counts.sum())


def with_name_groups(images: LabelledImages, pattern: str) -> LabelledImages:
    """Give each image the group that a regular expression finds in its name.

    Args:
      images: without groups.
      pattern: with one group, searched for in the name with its folders, such as
        "train/stop/00003_00017.png".
    Raises:
      DataError: the images have groups already, or a name does not match.
    """
    if images.groups is not None:
        raise DataError(
            say(
                "{source}: the images have groups already; --groups-from-name gives others.",
                source=images.source,
            ),
            remedy=say("Leave it out, or remove the groups from the data."),
        )
    groups = find_groups(images.names, pattern)
    if None in groups:
        unmatched = [
            name for name, group in zip(images.names, groups, strict=True) if group is None
        ]
        raise DataError(
            say(
                "{source}: {number:,} of {num_groups:,} names do not match "
                "{pattern!r}, such as {examples}.",
                source=images.source,
                number=len(unmatched),
                num_groups=len(groups),
                pattern=pattern,
                examples=quote(unmatched, 2),
            ),
            remedy=say("Change the regular expression so that its group is in every name."),
        )
    found = np.array(groups, np.str_)
    count = len(np.unique(found))
    sentence = say(
        "{count:,} groups found in the names with {pattern!r}, such as {groups!r}.",
        count=count,
        pattern=pattern,
        groups=groups[0],
    )
    return dataclasses.replace(images, groups=found, preparation=(*images.preparation, sentence))


def find_groups(names: Sequence[str], pattern: str) -> list[str | None]:
    """Find the group in each name; None where the pattern does not match."""
    search = re.compile(pattern).search
    return [match[1] if (match := search(name)) else None for name in names]


def propose_name_groups(images: LabelledImages, seed: int = 0) -> NameGroups | None:
    """Find groups in the names, if many names share a beginning and their images look alike.

    Args:
      images: with or without groups.
      seed: of the pairs of images that are compared.
    Returns:
      NameGroups of the first usual pattern that matches every name, puts at least half of the
      images into groups, has several groups in most classes, and whose images correlate clearly
      more within groups than within classes; None if there is none.
    """
    units = None
    for pattern in PATTERNS:
        found = find_groups(images.names, pattern)
        if None in found:
            continue
        groups = np.array(found, np.str_)
        labels, codes = np.unique(groups, return_inverse=True)
        counts = np.bincount(codes)
        pairs = np.unique(np.stack([images.labels, codes]), axis=1)
        classes_of = np.bincount(pairs[0], minlength=len(images.class_names))
        if counts[counts > 1].sum() < _LEAST_GROUPED * len(codes) or np.median(classes_of) < 2:
            continue
        units = to_unit_vectors(images.images) if units is None else units
        alike, others = _compare(units, images.labels, codes, seed)
        if alike - others >= _LEAST_GAIN:
            row = int(np.flatnonzero(counts[codes] > 1)[0])
            example = (images.names[row], str(groups[row]))
            return NameGroups(pattern, groups, len(labels), alike, others, example)
    return None


def _compare(
    units: NDArray[np.float32], labels: NDArray[np.int64], codes: NDArray[np.intp], seed: int
) -> tuple[float, float]:
    """Compute the median correlation of pairs within groups, and within classes across groups."""
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.random(len(codes)), codes))
    same = np.flatnonzero(codes[order[1:]] == codes[order[:-1]])
    same = rng.permutation(same)[:_MOST_PAIRS]
    alike = _correlate(units, order[same], order[same + 1])
    order = np.lexsort((rng.random(len(codes)), labels))
    first, second = order[:-1], order[1:]
    other = np.flatnonzero((labels[first] == labels[second]) & (codes[first] != codes[second]))
    other = rng.permutation(other)[:_MOST_PAIRS]
    if not len(other):
        return 0.0, 0.0
    return alike, _correlate(units, first[other], second[other])


def _correlate(
    units: NDArray[np.float32], first: NDArray[np.intp], second: NDArray[np.intp]
) -> float:
    return float(np.median((units[first] * units[second]).sum(axis=1)))
