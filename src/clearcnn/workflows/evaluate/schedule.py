"""The trainings of one evaluation, the most useful first."""

import dataclasses
import time
from collections.abc import Sequence

from clearcnn import evaluation
from clearcnn.evaluation import BASELINES
from clearcnn.language import say
from clearcnn.results.evaluate import LearningCurve
from clearcnn.workflows.evaluate.cross_validate import Candidate, FoldOutcome, plan_fold
from clearcnn.workflows.evaluate.learning_curve import choose_folds, choose_sizes, trace_learning
from clearcnn.workflows.evaluate.protocol import ProtocolRun
from clearcnn.workflows.fitting.listeners import EvaluateListener
from clearcnn.workflows.fitting.phase_timer import PhaseTimer
from clearcnn.workflows.fitting.plan import TrainPlan

_MOST_REPEATS = 20


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
    """

    def __init__(
        self,
        runs: Sequence[ProtocolRun],
        candidates: Sequence[Candidate],
        seed: int,
        listener: EvaluateListener,
        clock: PhaseTimer,
    ) -> None:
        self.runs = runs
        self.candidates = candidates
        self.seed = seed
        self.listener = listener
        self.clock = clock
        self.repeats: dict[str, int] = {}
        self.begun = time.perf_counter()
        # Invalid models raise here, before the first training.
        plans = [self._plan(candidate) for candidate in candidates]
        self.num_parameters = plans[0].model_summary.parameters

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
                run.fit_baselines(BASELINES, self.num_parameters, self.seed, self.listener.on_step)

    def distort_baseline(self, name: str) -> list[FoldOutcome]:
        """Train one baseline on the headline's folds again, to test it on distorted images."""
        with self.clock.phase("robustness"):
            return self.runs[0].distort_baseline(name, self.num_parameters, self.seed)

    def _plan(self, candidate: Candidate) -> TrainPlan:
        run = self.runs[0]
        fold = run.folds[0]
        return plan_fold(run.images, candidate, fold, len(fold.train), self.seed)

    def repeat(self, budget: float) -> None:
        """Repeat the headline's folds with other seeds while the budget lasts."""
        run = self.runs[0]
        num_trainings = len(run.folds) * len(self.candidates)
        spent = self.clock.seconds["folds"]
        once = spent * len(run.folds) / sum(len(each.folds) for each in self.runs)
        with self.clock.phase("repeats"):
            number = 1
            while number < _MOST_REPEATS and time.perf_counter() - self.begun + once < budget:
                self.listener.on_phase(say("repeat {number}", number=number), num_trainings)
                seed = self.seed + number * len(run.folds)
                folds = _repeat_folds(run, number, self.seed)
                run.fit_candidates(self.candidates, folds, seed, self.listener.on_step)
                number += 1
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
