"""How much an evaluation does, how long that takes, and what of it fits into a budget."""

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import joblib

from clearcnn.evaluation import BASELINES, Fold
from clearcnn.language import join, say
from clearcnn.workflows.evaluate.cross_validate import Candidate, fit_baseline
from clearcnn.workflows.evaluate.learning_curve import choose_folds, choose_sizes
from clearcnn.workflows.evaluate.protocol import ProtocolRun
from clearcnn.workflows.fitting.budget import require_budget, say_seconds

if TYPE_CHECKING:
    from clearcnn.training import Pace

_FEWER_FOLDS = (5, 3)
_MOST_REPEATS = 20
_LEAST_SHARE_OF_EPOCHS = 1 / 4
# Each test image is predicted plain and in 13 distorted variants, at a third of a training step.
_EPOCHS_TO_TEST = 14 / 3
_SECONDS_TO_KEEP = 4.0
_TRIED, _TRIED_TEST = 500, 200
# Of the classifiers, the SVM grows with the square of the images, the others more slowly.
_GROWTH = 1.5
_MOST_BASELINE_IMAGES = 10_000


@dataclass(frozen=True)
class Work:
    """What an evaluation does.

    Attributes:
      folds: the number of folds, where groups are not left out one by one.
      epochs: of each training.
      repeats: passes over the headline's folds.
      baselines, learning_curve: whether they are trained.
    """

    folds: int
    epochs: int
    repeats: int = 1
    baselines: bool = True
    learning_curve: bool = True


@dataclass(frozen=True)
class Cost:
    """The seconds that parts of an evaluation take on this machine.

    Attributes:
      pace: of a training on the first fold.
      num_train: images of that fold, with those held out for validation.
      baselines: seconds of the baselines on one fold.
      spent: seconds until now, without those of `pace`.
      num_candidates: CNNs to train.
    """

    pace: "Pace"
    num_train: int
    baselines: float
    spent: float
    num_candidates: int

    def estimate(self, work: Work, runs: list[ProtocolRun]) -> float:
        """Estimate the seconds of some work on these folds, with those spent."""
        once = [self._train(run, work.epochs) for run in runs]
        seconds = self.spent + self.pace.compile_seconds + _SECONDS_TO_KEEP
        seconds += sum(once) + once[0] * (work.repeats - 1)
        if work.learning_curve:
            folds, sizes = choose_folds(runs[0]), choose_sizes(runs[0])
            images = len(folds) * sum(sizes)
            seconds += images / self.num_train * work.epochs * self.pace.epoch_seconds
            seconds += len(sizes) * self.pace.compile_seconds
        if work.baselines:
            seconds += self.baselines * sum(len(run.folds) for run in runs)
        return seconds

    def _train(self, run: ProtocolRun, epochs: int) -> float:
        trained = sum(len(fold.train) for fold in run.folds) * self.num_candidates * epochs
        tested = len(run.images) * _EPOCHS_TO_TEST
        return (trained + tested) / self.num_train * self.pace.epoch_seconds


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
    """Reduce the epochs until the work fits; at least a quarter of them are kept.

    Raises:
      SpecError: the budget is too small.
    """
    fewest = max(2, round(_LEAST_SHARE_OF_EPOCHS * work.epochs))
    least = cost.estimate(replace(work, epochs=fewest), runs)
    trainings = sum(len(run.folds) for run in runs) * cost.num_candidates
    require_budget(
        budget,
        least,
        say("{trainings} trainings of {fewest} epochs", trainings=trainings, fewest=fewest),
    )
    none = cost.estimate(replace(work, epochs=0), runs)
    each = (cost.estimate(work, runs) - none) / work.epochs
    return replace(work, epochs=min(work.epochs, int((budget - none) / each)))


def add_repeats(cost: Cost, work: Work, runs: list[ProtocolRun], budget: float) -> Work:
    """Fill what is left of a budget with repeats."""
    while work.repeats < _MOST_REPEATS:
        more = replace(work, repeats=work.repeats + 1)
        if cost.estimate(more, runs) > budget:
            break
        work = more
    return work


def time_baselines(run: ProtocolRun, num_parameters: int, seed: int) -> float:
    """Estimate the seconds of all baselines on one fold, from 500 of its images."""
    fold = run.folds[0]
    few = Fold(fold.name, 0, fold.train[:: max(1, len(fold.train) // _TRIED)], fold.test)
    few = replace(few, test=few.test[:_TRIED_TEST])
    start = time.perf_counter()
    for name in BASELINES:
        fit_baseline(run.images, name, few, num_parameters, seed)
    growth = min(len(fold.train), _MOST_BASELINE_IMAGES) / len(few.train)
    return float((time.perf_counter() - start) * growth**_GROWTH / joblib.cpu_count())


def describe_work(work: Work, runs: list[ProtocolRun], num_models: int, seconds: float) -> str:
    """Say how much an evaluation does, and about how long it takes."""
    folds = " + ".join(str(len(run.folds)) for run in runs)
    size = round(sum(len(f.train) for f in runs[0].folds) / len(runs[0].folds))
    parts = [
        say(
            "{folds} folds × {epochs} epochs of {size:,} images",
            folds=folds,
            epochs=work.epochs,
            size=size,
        )
    ]
    if num_models > 1:
        parts[0] = say("{num_models} models × {parts}", num_models=num_models, parts=parts[0])
    if work.repeats > 1:
        parts.append(say("{repeats} times", repeats=work.repeats))
    if work.learning_curve:
        parts.append(say("with a learning curve"))
    return say("{parts}, about {seconds}", parts=join(", ", parts), seconds=say_seconds(seconds))


def with_epochs(candidates: list[Candidate], epochs: int) -> list[Candidate]:
    """Set the epochs of every CNN."""
    return [replace(each, settings={**each.settings, "epochs": epochs}) for each in candidates]
