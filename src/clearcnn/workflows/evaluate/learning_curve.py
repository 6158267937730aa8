"""The learning curve: the same folds, trained on increasing numbers of images."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np

from clearcnn import evaluation
from clearcnn.evaluation import Fold
from clearcnn.language import join, say
from clearcnn.results.evaluate import LearningCurve, LearningPoint
from clearcnn.results.scores import Score
from clearcnn.workflows.evaluate.cross_validate import (
    Candidate,
    FoldOutcome,
    fit_fold,
)
from clearcnn.workflows.evaluate.in_parallel import train_in_parallel
from clearcnn.workflows.evaluate.protocol import ProtocolRun

_MOST_FOLDS, _FEWEST_FOLDS = 5, 3
# A sixteenth, too, would take a fourth compiled program, and the forecast does not use it.
_SHARES = (1 / 8, 1 / 4, 1 / 2)
_FEWEST_OF_A_CLASS = 2


def choose_folds(run: ProtocolRun) -> list[Fold]:
    """Choose half of the folds, three to five, evenly spaced."""
    half = max(_FEWEST_FOLDS, (len(run.folds) + 1) // 2)
    places = np.linspace(0, len(run.folds) - 1, min(_MOST_FOLDS, half, len(run.folds)))
    return [run.folds[place] for place in np.unique(places.round().astype(int))]


def choose_sizes(run: ProtocolRun) -> list[int]:
    """Choose training sizes below the full one, each double the one before."""
    whole = min(len(fold.train) for fold in choose_folds(run))
    fewest = _FEWEST_OF_A_CLASS * len(run.images.class_names)
    return [size for size in (round(share * whole) for share in _SHARES) if size >= fewest]


def trace_learning(
    run: ProtocolRun, candidate: Candidate, seed: int, on_step: Callable[[], None]
) -> LearningCurve:
    """Train on stratified subsets, an eighth to a half, of each chosen fold's images.

    Args:
      run: has the outcomes of `candidate` with all images.
      candidate: what to train.
      seed: of the draws and the trainings.
      on_step: called after each training.
    """
    folds, sizes = choose_folds(run), choose_sizes(run)
    # The longest trainings first, so that no core waits for one that began last.
    order = [(size, number) for size in reversed(sizes) for number in range(len(folds))]
    tasks = [
        partial(fit_fold, run.images, candidate, folds[number], size, seed + number)
        for size, number in order
    ]
    found: dict[tuple[int, int], FoldOutcome] = {}

    def collect(position: int, outcome: FoldOutcome) -> None:
        found[order[position]] = outcome
        on_step()

    train_in_parallel(tasks, collect)
    rows = [[found[size, number] for number in range(len(folds))] for size in sizes]
    first = [each for each in run.outcomes[candidate.name] if each.fold.repeat == 0]
    whole = {each.fold.name: each for each in first}
    rows.append([whole[fold.name] for fold in folds])
    curve = _conclude(run, rows)
    ended = sum(each.divergence is not None for each in found.values())
    if not ended:
        return curve
    warning = say(
        "{number} of its {total} trainings diverged (NaN or infinity).",
        number=ended,
        total=len(found),
    )
    return replace(curve, sentence=join(" ", (curve.sentence, warning)))


def _conclude(run: ProtocolRun, rows: list[list[FoldOutcome]]) -> LearningCurve:
    labels = run.images.labels
    points, correct = [], []
    for outcomes in rows:
        right = [int((a.predictions == labels[a.fold.test]).sum()) for a in outcomes]
        total = sum(len(a.fold.test) for a in outcomes)
        points.append(
            LearningPoint(
                round(float(np.mean([a.num_train for a in outcomes]))),
                Score(sum(right), total, run.find_interval(outcomes)),
            )
        )
        correct.append(right)
    if len(points) < 3:
        return LearningCurve(
            tuple(points), None, say("There are too few images for a learning curve.")
        )
    doubled, sentence = evaluation.forecast_doubling(
        [point.num_train for point in points],
        np.array(correct).T,
        [len(a.fold.test) for a in rows[-1]],
    )
    return LearningCurve(tuple(points), doubled, sentence)
