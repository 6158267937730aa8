"""The confusion matrix as rows of a heat table, and the most frequent confusions."""

import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from clearcnn.language import say
from clearcnn.results.scores import Evaluation

# What fits in one line on a phone.
_LETTERS_BESIDE = 30


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix.

    Attributes:
      count: test images of the row's class predicted as the column's class.
      right: whether it is on the diagonal.
      strength: opacity of its colour, integer percent, 0 for no image.
      strong: whether text on it needs the inverse colour.
      words: its description for tooltips and screen readers; empty for no image.
    """

    count: int
    right: bool
    strength: int
    strong: bool
    words: str


@dataclass(frozen=True)
class Row:
    """One true class, its test images and their predicted classes."""

    name: str
    support: int
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Confusion:
    """Test images of one class predicted as another."""

    label: str
    prediction: str
    count: int
    support: int


def tabulate(evaluation: Evaluation) -> tuple[Row, ...]:
    """Lay out the matrix, one row per true class.

    Correct predictions are coloured by their share of the row; wrong ones by its square root, so
    that one among hundreds is still visible.
    """
    names = [each.name for each in evaluation.classes]
    rows = []
    for i, counts in enumerate(evaluation.confusion):
        support = sum(counts)
        cells = []
        for j, number in enumerate(counts):
            share = number / support if support else 0.0
            strength = share if i == j else math.sqrt(share)
            words = say(
                "{number:,} of {support:,}: true {label}, predicted {prediction}",
                number=number,
                support=support,
                label=names[i],
                prediction=names[j],
            )
            cells.append(
                Cell(
                    count=number,
                    right=i == j,
                    strength=_colour(strength) if number else 0,
                    strong=strength >= 0.5,
                    words=words if number else "",
                )
            )
        rows.append(Row(names[i], support, tuple(cells)))
    return tuple(rows)


def _colour(strength: float) -> int:
    # Middle tones are skipped, since text on them has too little contrast.
    return round(15 + 70 * strength if strength < 0.5 else 82 + 36 * (strength - 0.5))


def list_confusions(evaluation: Evaluation, most: int = 5) -> tuple[Confusion, ...]:
    """List the confusions with the most images, of two or more only."""
    names = [each.name for each in evaluation.classes]
    confusions = [
        Confusion(names[i], names[j], number, sum(counts))
        for i, counts in enumerate(evaluation.confusion)
        for j, number in enumerate(counts)
        if i != j and number >= 2
    ]
    return tuple(sorted(confusions, key=lambda each: -each.count)[:most])


def need_vertical_labels(names: Sequence[str]) -> bool:
    """Whether column headings must be vertical to fit."""
    longest = max(_measure(name) for name in names)
    return longest > 3 and longest * len(names) > _LETTERS_BESIDE


def _measure(name: str) -> int:
    """Width of a name in Latin letters; a Korean or Chinese letter counts as two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in name)
