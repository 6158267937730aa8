"""Folds of a cross-validation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from clearcnn.errors import SpecError
from clearcnn.language import say

Rows = NDArray[np.intp]

_MOST_GROUPS_LEFT_OUT_SINGLY = 20


@dataclass(frozen=True, eq=False)
class Fold:
    """Training rows and test rows; disjoint, together all images.

    Attributes:
      name: the group left out, or the number of the fold, such as "fold 3".
      repeat: the repetition of the cross-validation, from 0.
    """

    name: str
    repeat: int
    train: Rows
    test: Rows


def leave_groups_out(
    labels: ArrayLike, groups: ArrayLike, *, num_folds: int, seed: int
) -> list[Fold]:
    """Make folds of whole groups: one group per fold, or several where there are many groups.

    Args:
      labels: (n,) int, the classes.
      groups: (n,) of any kind, the group of each image.
      num_folds: number of folds if there are more than 20 groups.
      seed: seed of the assignment of groups to folds.
    Returns:
      The folds; each image is tested once.
    Raises:
      SpecError: fewer than two groups.
    """
    from sklearn.model_selection import LeaveOneGroupOut, StratifiedGroupKFold

    truth, names = np.asarray(labels), np.asarray(groups)
    every, first = np.unique(names, return_index=True)
    if len(every) < 2:
        raise SpecError(
            say(
                "Leaving groups out needs at least 2 groups; found {number}.",
                number=len(every),
            ),
            remedy=say("Name at least 2 groups, or evaluate without groups."),
        )
    if len(every) > _MOST_GROUPS_LEFT_OUT_SINGLY:
        splitter: Any = StratifiedGroupKFold(num_folds, shuffle=True, random_state=seed)
        return [
            Fold(say("fold {number}", number=number), 0, train, test)
            for number, (train, test) in enumerate(splitter.split(truth, truth, names), start=1)
        ]
    folds = [
        Fold(str(names[test[0]]), 0, train, test)
        for train, test in LeaveOneGroupOut().split(truth, truth, names)
    ]
    order = {str(every[at]): first[at] for at in range(len(every))}
    return sorted(folds, key=lambda fold: int(order[fold.name]))


def make_random_folds(labels: ArrayLike, *, num_folds: int, repeat: int, seed: int) -> list[Fold]:
    """Make stratified folds: class proportions are the same in each.

    Args:
      labels: (n,) int, the classes.
      num_folds: 2 or more.
      repeat: the repetition; each is shuffled differently.
      seed: non-negative int.
    Returns:
      The folds; each image is tested once.
    Raises:
      SpecError: a class has fewer images than there are folds.
    """
    from sklearn.model_selection import StratifiedKFold

    truth = np.asarray(labels)
    fewest = int(np.unique(truth, return_counts=True)[1].min())
    if not 2 <= num_folds <= fewest:
        raise SpecError(
            say(
                "{num_folds} folds of {num_images:,} images can't be: the smallest class has "
                "{fewest}, and 2 to {fewest} folds give it a place in each.",
                num_folds=num_folds,
                num_images=len(truth),
                fewest=fewest,
            ),
            remedy=say(
                "Ask for --folds {most} or fewer, or add images of that class.", most=max(2, fewest)
            ),
        )
    splitter = StratifiedKFold(num_folds, shuffle=True, random_state=seed + repeat)
    return [
        Fold(say("fold {repeat}", repeat=repeat * num_folds + number), repeat, train, test)
        for number, (train, test) in enumerate(splitter.split(truth, truth), start=1)
    ]
