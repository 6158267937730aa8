"""The cleaned list: which images of a source to use, and why not the others."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcnn.data import LabelledImages
from clearcnn.results.check import Suspect

Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class UseList:
    """One entry for each image.

    Attributes:
      use: (n,) bool.
      reasons: why not, or what to look at; empty where there is nothing to say.
    """

    use: NDArray[np.bool_]
    reasons: tuple[str, ...]


def propose_uses(
    images: LabelledImages, exact: Rows, near: Rows, suspects: tuple[Suspect, ...]
) -> UseList:
    """Propose what to leave out: copies, contradictions, leaks and empty images; no suspects.

    Of copies with one label the first is kept, of copies with several labels none. Of copies in
    several parts, exact or near, those of the test part are kept. A suspect stays in use: a person
    should look at it.

    Args:
      images: all of them.
      exact, near: (n,) the first image with the same, or almost the same, pixels.
      suspects: labels that models do not believe.
    """
    use = np.ones(len(images), bool)
    reasons = [""] * len(images)

    def leave_out(row: int, reason: str) -> None:
        if use[row]:
            use[row], reasons[row] = False, reason

    flat = images.images.reshape(len(images), -1)
    for row in np.flatnonzero(flat.min(axis=1) == flat.max(axis=1)).tolist():
        leave_out(row, "all pixels of one value")
    parts = np.full(len(images), "train") if images.split_names is None else images.split_names
    for rows in _gather(exact):
        others = {row: rows[0] if row != rows[0] else rows[1] for row in rows}
        if len(set(images.labels[rows].tolist())) > 1:
            for row in rows:
                leave_out(row, f"copy of {images.names[others[row]]}, with another label")
            continue
        keep = next((row for row in rows if parts[row] == "test"), rows[0])
        for row in rows:
            if row != keep:
                leave_out(row, f"copy of {images.names[keep]}")
    for rows in _gather(near):
        tested = [row for row in rows if parts[row] == "test"]
        if tested and len(tested) < len(rows):
            for row in rows:
                if parts[row] != "test":
                    leave_out(row, f"almost {images.names[tested[0]]}, of the test part")
    for suspect in suspects:
        if use[suspect.index]:
            reasons[suspect.index] = (
                f"suspect: looks like {suspect.suggestion} ({suspect.suggested_confidence:.0%})"
            )
    return UseList(use, tuple(reasons))


def _gather(first: Rows) -> list[list[int]]:
    """Give the rows of each set of copies, ascending."""
    copies = np.flatnonzero(first != np.arange(len(first)))
    sets: dict[int, list[int]] = {int(row): [int(row)] for row in np.unique(first[copies])}
    for row in copies.tolist():
        sets[int(first[row])].append(row)
    return list(sets.values())
