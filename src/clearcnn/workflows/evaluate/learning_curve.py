"""The learning curve: the same folds, trained on ever more of their images."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from clearcnn import evaluation
from clearcnn.evaluation import Fold
from clearcnn.results.evaluate import LearningCurve, LearningPoint
from clearcnn.results.scores import Score
from clearcnn.workflows.evaluate.cross_validate import (
    Candidate,
    FoldAnswers,
    fit_fold,
    run_side_by_side,
    share_sizes,
)
from clearcnn.workflows.evaluate.protocol import ProtocolRun

MOST_FOLDS = 5
_SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2)
_FEWEST_OF_A_CLASS = 2


def choose_folds(run: ProtocolRun) -> list[Fold]:
    """Choose up to five folds, evenly from first to last."""
    places = np.linspace(0, len(run.folds) - 1, min(MOST_FOLDS, len(run.folds)))
    return [run.folds[place] for place in np.unique(places.round().astype(int))]


def choose_sizes(run: ProtocolRun) -> list[int]:
    """Choose training sizes below the whole, each double the one before."""
    whole = min(share_sizes(choose_folds(run)))
    fewest = _FEWEST_OF_A_CLASS * len(run.images.class_names)
    return [size for size in (round(share * whole) for share in _SHARES) if size >= fewest]


def trace_learning(
    run: ProtocolRun, candidate: Candidate, seed: int, hear: Callable[[], None]
) -> LearningCurve:
    """Train on a sixteenth to a half of each chosen fold's images, drawn with every class's share.

    Args:
      run: its answers hold those of `candidate` with all images.
      candidate: what to train.
      seed: of draws and trainings.
      hear: called after each training.
    """
    folds, sizes = choose_folds(run), choose_sizes(run)
    tasks = [
        partial(fit_fold, run.images, candidate, fold, size, seed + number)
        for size in sizes
        for number, fold in enumerate(folds)
    ]
    found: dict[int, FoldAnswers] = {}
    for position, answers in run_side_by_side(tasks):
        found[position] = answers
        hear()
    rows = [
        [found[place * len(folds) + number] for number in range(len(folds))]
        for place in range(len(sizes))
    ]
    first = [each for each in run.answers[candidate.name] if each.fold.repeat == 0]
    whole = {each.fold.name: each for each in first}
    rows.append([whole[fold.name] for fold in folds])
    curve = _conclude(run, rows)
    ended = sum(each.divergence is not None for each in found.values())
    if not ended:
        return curve
    said = f"{ended} of {len(found)} trainings for it ended in numbers that are not finite."
    return replace(curve, sentence=f"{curve.sentence} {said}")


def _conclude(run: ProtocolRun, rows: list[list[FoldAnswers]]) -> LearningCurve:
    labels = run.images.labels
    points, correct = [], []
    for answers in rows:
        right = [int((a.predictions == labels[a.fold.test]).sum()) for a in answers]
        total = sum(len(a.fold.test) for a in answers)
        points.append(
            LearningPoint(
                round(float(np.mean([a.num_train for a in answers]))),
                Score(sum(right), total, run.find_interval(answers)),
            )
        )
        correct.append(right)
    if len(points) < 3:
        return LearningCurve(
            tuple(points), None, "There are too few images to trace a learning curve."
        )
    doubled, sentence = evaluation.forecast_doubling(
        [point.num_train for point in points],
        np.array(correct).T,
        [len(a.fold.test) for a in rows[-1]],
    )
    return LearningCurve(tuple(points), doubled, sentence)
