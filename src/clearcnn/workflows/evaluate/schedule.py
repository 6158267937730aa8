"""The trainings of one evaluation, the most useful first."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property

from clearcnn import evaluation
from clearcnn.evaluation import BASELINES, Fold
from clearcnn.language import say
from clearcnn.report.number_format import flip_sentence
from clearcnn.results.evaluate import LearningCurve
from clearcnn.types import Pixels
from clearcnn.workflows.evaluate.cross_validate import (
    Candidate,
    ComparedCNN,
    FoldOutcome,
    flatten_for_baselines,
    plan_fold,
    settle_flips,
)
from clearcnn.workflows.evaluate.learning_curve import choose_folds, choose_sizes, trace_learning
from clearcnn.workflows.evaluate.protocol import ProtocolRun
from clearcnn.workflows.evaluate.work import (
    Cost,
    Work,
    add_repeats,
    choose_epochs,
    choose_num_folds,
    describe_work,
    list_choices,
    time_baselines,
    with_epochs,
)
from clearcnn.workflows.fitting.budget import add_smaller_size
from clearcnn.workflows.fitting.fit_plan import measure_pace
from clearcnn.workflows.fitting.listeners import EvaluateListener
from clearcnn.workflows.fitting.phase_timer import PhaseTimer
from clearcnn.workflows.fitting.plan import TrainPlan


class Schedule:
    """CNNs, baselines, repeats and learning curve over the folds of one or two protocols.

    Args:
      runs: the protocols, the headline first.
      candidates: the CNNs; the first one is evaluated, the others are compared with it.
      seed: of the first fold's training; each later fold has the next one.
      listener: hears of every training.
      clock: records the seconds of each phase.
    Raises:
      ClearCNNError: a candidate cannot be trained on these images; raised before any training.

    Attributes:
      candidates: with the outcome of their flip trials, once these were made.
      interrupted: whether Ctrl-C ended the trainings; what is finished is kept.
    """

    def __init__(
        self,
        runs: Sequence[ProtocolRun],
        candidates: Sequence[Candidate],
        seed: int,
        listener: EvaluateListener,
        clock: PhaseTimer,
    ) -> None:
        self.runs = list(runs)
        self.candidates = list(candidates)
        self.seed = seed
        self.listener = listener
        self.clock = clock
        self.repeats: dict[str, int] = {}
        self.interrupted = False
        # Invalid models raise here, before the first training.
        plans = [self._plan(candidate) for candidate in candidates]
        self.compared = ComparedCNN(
            plans[0].model_summary.parameters, plans[0].train_spec.class_weight_power
        )

    def try_flips(self, fold: Fold) -> None:
        """Decide for each CNN whether its trainings mirror images, on the training rows of a fold.

        It should not depend on the number of folds, which a budget may change: then the command
        that names this number makes the same trial.
        """
        with self.clock.phase("flip trials"):
            run = self.runs[0]
            for number, candidate in enumerate(self.candidates):
                settled, trial = settle_flips(run.images, candidate, fold, self.seed)
                self.candidates[number] = settled
                if trial is not None:
                    self.listener.on_finding(flip_sentence(trial))

    def plan_work(
        self,
        asked: Work,
        budget: float | None,
        begun: float,
        make_runs: Callable[[int], list[ProtocolRun]],
        *,
        may_reduce_folds: bool = False,
    ) -> Work:
        """Measure the pace, say how much is to do, and with a budget reduce it until it fits.

        Args:
          asked: the work without a budget; its epochs are not read.
          budget: seconds for everything; None does all that is asked for.
          begun: `time.perf_counter()` at the beginning.
          make_runs: makes the protocols for a number of folds.
          may_reduce_folds: whether much work gets fewer folds without a budget too.
        Returns:
          What will be done; the schedule's runs and candidates are set to it.
        Raises:
          SpecError: the budget is too small.
        """
        with self.clock.phase("pace"):
            spent = time.perf_counter() - begun
            plans = [self._plan(candidate) for candidate in self.candidates]
            epochs = tuple(plan.train_spec.epochs for plan in plans)
            asked = replace(asked, epochs=epochs[0] if len(set(epochs)) == 1 else None)
            if may_reduce_folds and (fewer := choose_num_folds(plans)) < asked.folds:
                self._reduce_folds(make_runs(fewer))
                asked = replace(asked, folds=fewer)
            baselines = 0.0
            if budget is not None and asked.baselines:
                baselines = time_baselines(self.runs[0], self._flat, self.compared, self.seed)
            paces = tuple(measure_pace(plan) for plan in plans)
            num_train = len(self.runs[0].folds[0].train)
            cost = Cost(paces, epochs, num_train, baselines, spent)
            work, runs = asked, self.runs
            if budget is not None:
                for work in list_choices(asked):
                    runs = make_runs(work.folds)
                    if cost.estimate(work, runs) <= budget:
                        break
                work = choose_epochs(cost, work, runs, budget)
                work = add_repeats(cost, work, runs, budget)
                if work.epochs is not None:
                    self.candidates = with_epochs(self.candidates, work.epochs)
            self.runs = runs
        self.listener.on_work(add_smaller_size(describe_work(cost, work, runs), plans[0]))
        return work

    def _reduce_folds(self, runs: list[ProtocolRun]) -> None:
        before, self.runs = len(self.runs[0].folds), runs
        after = len(runs[0].folds)
        if after < before:
            self.listener.on_finding(
                say(
                    "{after} folds: the trainings of {before} would take long. To make them, give "
                    "--folds {before}.",
                    after=after,
                    before=before,
                )
            )

    @contextmanager
    def keeping_finished(self) -> Iterator[None]:
        """After Ctrl-C within this context, keep the finished folds.

        Raises:
          KeyboardInterrupt: fewer than two folds of the headline were finished.
        """
        first = self.candidates[0].name
        try:
            yield
        except KeyboardInterrupt:
            self.interrupted = True
            if not self.runs[0].keep_finished(first):
                raise
            self.runs[1:] = [run for run in self.runs[1:] if run.keep_finished(first)]
            folds = self.runs[0].outcomes[first]
            self.repeats[self.runs[0].kind] = len({each.fold.repeat for each in folds})

    def fit_candidates(self) -> None:
        """Train the CNNs once on every fold of every protocol."""
        with self.clock.phase("folds"):
            count = sum(len(run.folds) for run in self.runs) * len(self.candidates)
            self.listener.on_phase(say("training on folds"), count)
            for run in self.runs:
                run.fit_candidates(self.candidates, run.folds, self.seed, self.listener.on_step)

    def fit_baselines(self) -> None:
        """Train the baselines on the same folds."""
        with self.clock.phase("baselines"):
            count = sum(len(run.folds) for run in self.runs) * len(BASELINES)
            self.listener.on_phase(say("training baselines"), count)
            for run in self.runs:
                run.fit_baselines(
                    BASELINES, self._flat, self.compared, self.seed, self.listener.on_step
                )

    def distort_baseline(self, name: str) -> list[FoldOutcome]:
        """Train one baseline on the headline's folds again, to test it on distorted images."""
        with self.clock.phase("robustness"):
            return self.runs[0].distort_baseline(name, self._flat, self.compared, self.seed)

    @cached_property
    def _flat(self) -> Pixels:
        """All images, as every baseline on every fold sees them."""
        return flatten_for_baselines(self.runs[0].images.images)

    def _plan(self, candidate: Candidate) -> TrainPlan:
        run = self.runs[0]
        fold = run.folds[0]
        return plan_fold(run.images, candidate, fold, len(fold.train), self.seed)

    def repeat(self, number: int) -> None:
        """Train the CNNs on the headline's folds `number` times in all, with other seeds."""
        run = self.runs[0]
        with self.clock.phase("repeats"):
            for repeat in range(1, number):
                self.listener.on_phase(
                    say("repeat {repeat}", repeat=repeat), len(run.folds) * len(self.candidates)
                )
                seed = self.seed + repeat * len(run.folds)
                folds = _repeat_folds(run, repeat, self.seed)
                run.fit_candidates(self.candidates, folds, seed, self.listener.on_step)
        self.repeats[run.kind] = number

    def trace_learning(self) -> LearningCurve:
        """Train the first CNN on subsets of the images."""
        run = self.runs[0]
        with self.clock.phase("learning curve"):
            steps = len(choose_folds(run)) * len(choose_sizes(run))
            self.listener.on_phase(say("tracing the learning curve"), steps)
            return trace_learning(run, self.candidates[0], self.seed, self.listener.on_step)


def _repeat_folds(run: ProtocolRun, number: int, seed: int) -> list[evaluation.Fold]:
    if run.kind == "groups":
        return [dataclasses.replace(fold, repeat=number) for fold in run.folds]
    return evaluation.make_random_folds(
        run.images.labels, num_folds=len(run.folds), repeat=number, seed=seed
    )
