"""How much an evaluation does, how long that takes, and what of it fits into a budget."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import joblib

from clearcnn.evaluation import BASELINES, Fold
from clearcnn.language import join, say
from clearcnn.types import Pixels
from clearcnn.workflows.evaluate.cross_validate import (
    MOST_BASELINE_IMAGES,
    Candidate,
    ComparedCNN,
    fit_baseline,
)
from clearcnn.workflows.evaluate.learning_curve import choose_folds, choose_sizes
from clearcnn.workflows.evaluate.protocol import ProtocolRun
from clearcnn.workflows.fitting.budget import require_budget, say_seconds
from clearcnn.workflows.fitting.costs import SECONDS_TO_KEEP, predict_seconds
from clearcnn.workflows.fitting.plan import TrainPlan

if TYPE_CHECKING:
    from clearcnn.training import Pace

MOST_FOLDS = 10
_FEWER_FOLDS = (5, 3)
# Multiply-adds to train on ten folds, three times those of the forward passes: about four minutes
# on two cores with AVX-512.
_MUCH_WORK = 15e12
_MOST_REPEATS = 20
_LEAST_SHARE_OF_EPOCHS = 1 / 4
# Each test image is predicted plain, and by the first CNN in 13 distorted variants.
_VARIANTS = 13
_TRIED, _TRIED_TEST = 500, 200
# Of the classifiers, the SVM grows with the square of the images, the others more slowly.
_GROWTH = 1.5


@dataclass(frozen=True)
class Work:
    """What an evaluation does.

    Attributes:
      folds: the number of folds, where groups are not left out one by one.
      epochs: of each training; None if each CNN has its own number.
      repeats: passes over the headline's folds.
      baselines, learning_curve: whether they are trained.
    """

    folds: int
    epochs: int | None
    repeats: int = 1
    baselines: bool = True
    learning_curve: bool = True


@dataclass(frozen=True)
class Cost:
    """The seconds that parts of an evaluation take on this machine.

    Attributes:
      paces: of a training on the first fold, for each CNN.
      epochs: that each CNN is trained for if nothing else is chosen.
      num_train: images of that fold, with those held out for validation.
      baselines: seconds of the baselines on one fold.
      spent: seconds until now, without those of `paces`.
    """

    paces: "tuple[Pace, ...]"
    epochs: tuple[int, ...]
    num_train: int
    baselines: float
    spent: float

    def estimate(self, work: Work, runs: list[ProtocolRun]) -> float:
        """Estimate the seconds of some work on these folds, with those spent."""
        once = [self._train(run, work) for run in runs]
        seconds = self.spent + sum(pace.compile_seconds for pace in self.paces) + SECONDS_TO_KEEP
        seconds += sum(once) + once[0] * (work.repeats - 1)
        pace = self.paces[0]
        # Only the first pass of the first CNN is tested on distorted images.
        tested = _VARIANTS * sum(len(run.images) for run in runs)
        seconds += predict_seconds(tested, self.num_train, pace.epoch_seconds)
        if work.learning_curve:
            folds, sizes = choose_folds(runs[0]), choose_sizes(runs[0])
            images = len(folds) * sum(sizes)
            seconds += images / self.num_train * self.list_epochs(work)[0] * pace.epoch_seconds
            seconds += len(sizes) * pace.compile_seconds
        if work.baselines:
            seconds += self.baselines * sum(len(run.folds) for run in runs)
        return seconds

    def list_epochs(self, work: Work) -> tuple[int, ...]:
        """List the epochs of each CNN."""
        return self.epochs if work.epochs is None else (work.epochs,) * len(self.epochs)

    def _train(self, run: ProtocolRun, work: Work) -> float:
        """Estimate the seconds of training and predicting once on every fold of a protocol."""
        num_trained = sum(len(fold.train) for fold in run.folds)
        return sum(
            num_trained * epochs / self.num_train * pace.epoch_seconds
            + predict_seconds(len(run.images), self.num_train, pace.epoch_seconds)
            for pace, epochs in zip(self.paces, self.list_epochs(work), strict=True)
        )


def choose_num_folds(plans: Sequence[TrainPlan]) -> int:
    """Choose 10 folds, or 5 if the trainings of 10 are much work.

    It follows from the data and the models, not from the pace of this machine, so that another
    machine makes the same folds.

    Args:
      plans: of each CNN's training on one fold.
    """
    work = sum(
        plan.model_summary.multiply_adds * plan.train_spec.epochs * len(plan.splits.train)
        for plan in plans
    )
    # A training step takes a forward pass, and two backward for inputs and weights.
    return MOST_FOLDS if 3 * work * MOST_FOLDS <= _MUCH_WORK else _FEWER_FOLDS[0]


def list_choices(asked: Work) -> list[Work]:
    """List less and less work: no learning curve, then fewer folds, then no baselines."""
    fewer = [number for number in _FEWER_FOLDS if number < asked.folds]
    choices = [asked]
    if asked.learning_curve:
        choices.append(replace(asked, learning_curve=False))
    choices += [replace(asked, learning_curve=False, folds=number) for number in fewer]
    if asked.baselines:
        choices.append(replace(choices[-1], baselines=False))
    return choices


def choose_epochs(cost: Cost, work: Work, runs: list[ProtocolRun], budget: float) -> Work:
    """Reduce the epochs until the work fits.

    Then every CNN is trained for the same number: at most the fewest that a CNN asks for, and at
    least a quarter of them.

    Raises:
      SpecError: the budget is too small.
    """
    most = min(cost.list_epochs(work))
    fewest = max(2, round(_LEAST_SHARE_OF_EPOCHS * most))
    least = cost.estimate(replace(work, epochs=fewest), runs)
    trainings = sum(len(run.folds) for run in runs) * len(cost.paces)
    require_budget(
        budget,
        least,
        say("{trainings} trainings of {fewest} epochs", trainings=trainings, fewest=fewest),
    )
    if cost.estimate(work, runs) <= budget:
        return work
    none = cost.estimate(replace(work, epochs=0), runs)
    each = (cost.estimate(replace(work, epochs=most), runs) - none) / most
    return replace(work, epochs=min(most, int((budget - none) / each)))


def add_repeats(cost: Cost, work: Work, runs: list[ProtocolRun], budget: float) -> Work:
    """Fill what is left of a budget with repeats."""
    while work.repeats < _MOST_REPEATS:
        more = replace(work, repeats=work.repeats + 1)
        if cost.estimate(more, runs) > budget:
            break
        work = more
    return work


def time_baselines(run: ProtocolRun, flat: Pixels, cnn: ComparedCNN, seed: int) -> float:
    """Estimate the seconds of all baselines on one fold, from 500 of its images."""
    fold = run.folds[0]
    few = Fold(fold.name, 0, fold.train[:: max(1, len(fold.train) // _TRIED)], fold.test)
    few = replace(few, test=few.test[:_TRIED_TEST])
    start = time.perf_counter()
    for name in BASELINES:
        fit_baseline(run.images, flat, name, few, cnn, seed)
    growth = min(len(fold.train), MOST_BASELINE_IMAGES) / len(few.train)
    return float((time.perf_counter() - start) * growth**_GROWTH / joblib.cpu_count())


def describe_work(cost: Cost, work: Work, runs: list[ProtocolRun]) -> str:
    """Say how much an evaluation does, and about how long it takes."""
    folds = " + ".join(str(len(run.folds)) for run in runs)
    size = round(sum(len(f.train) for f in runs[0].folds) / len(runs[0].folds))
    each = cost.list_epochs(work)
    epochs = each[:1] if len(set(each)) == 1 else each
    parts = [
        say(
            "{folds} folds × {epochs} epochs of {size:,} images",
            folds=folds,
            epochs=join(", ", map(str, epochs)),
            size=size,
        )
    ]
    if len(each) > 1:
        parts[0] = say("{num_models} models × {parts}", num_models=len(each), parts=parts[0])
    if work.repeats > 1:
        parts.append(say("{repeats} times", repeats=work.repeats))
    if work.learning_curve:
        parts.append(say("with a learning curve"))
    seconds = cost.estimate(work, runs) - cost.spent
    return say("{parts}, about {seconds}", parts=join(", ", parts), seconds=say_seconds(seconds))


def with_epochs(candidates: list[Candidate], epochs: int) -> list[Candidate]:
    """Set the epochs of every CNN."""
    return [replace(each, settings={**each.settings, "epochs": epochs}) for each in candidates]
