"""The cleaned list: which images of a source to use, and the reasons to exclude others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcnn.data import LabelledImages
from clearcnn.language import say
from clearcnn.results.check import Suspect

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class UseList:
    """One entry for each image.

    Attributes:
      use: (n,) bool.
      reasons: why an image is excluded or suspect; empty for all others.
    """

    use: NDArray[np.bool_]
    reasons: tuple[str, ...]


def propose_uses(
    images: LabelledImages,
    *,
    exact: Rows,
    near: Rows,
    empty: Rows,
    suspects: tuple[Suspect, ...],
) -> UseList:
    """Propose to exclude duplicates, contradictions, leaks and empty images.

    Of duplicates with the same label the first is kept, of duplicates with different labels none.
    Of exact or near duplicates in several splits, those in the test set are kept. Suspects are
    kept: a person should review them.

    Args:
      images: all images of the source.
      exact: (n,) the first image with the same pixels.
      near: (n,) the first image with nearly the same pixels.
      empty: the images of a single value.
      suspects: labels that models contradict.
    """
    use = np.ones(len(images), bool)
    reasons = [""] * len(images)

    def exclude(row: int, reason: str) -> None:
        if use[row]:
            use[row], reasons[row] = False, reason

    for row in empty.tolist():
        exclude(row, say("all pixels have the same value"))
    split_names = (
        np.full(len(images), "train") if images.split_names is None else images.split_names
    )
    for rows in _gather(exact):
        others = {row: rows[0] if row != rows[0] else rows[1] for row in rows}
        if len(set(images.labels[rows].tolist())) > 1:
            for row in rows:
                exclude(
                    row,
                    say(
                        "duplicate of {names}, with another label", names=images.names[others[row]]
                    ),
                )
            continue
        keep = next((row for row in rows if split_names[row] == "test"), rows[0])
        for row in rows:
            if row != keep:
                exclude(row, say("duplicate of {names}", names=images.names[keep]))
    for rows in _gather(near):
        tested = [row for row in rows if split_names[row] == "test"]
        if tested and len(tested) < len(rows):
            for row in rows:
                if split_names[row] != "test":
                    exclude(
                        row,
                        say(
                            "near duplicate of {names}, in the test set",
                            names=images.names[tested[0]],
                        ),
                    )
    for suspect in suspects:
        if use[suspect.index]:
            share = 100 * suspect.suggested_confidence
            reasons[suspect.index] = say(
                "suspect: looks like {suggestion} ({share:.0f} %)",
                suggestion=suspect.suggestion,
                share=share,
            )
    return UseList(use, tuple(reasons))


def _gather(first: Rows) -> list[list[int]]:
    """Return the rows of each set of duplicates, ascending."""
    duplicates = np.flatnonzero(first != np.arange(len(first)))
    sets: dict[int, list[int]] = {int(row): [int(row)] for row in np.unique(first[duplicates])}
    for row in duplicates.tolist():
        sets[int(first[row])].append(row)
    return list(sets.values())
