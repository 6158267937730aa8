"""One protocol of an evaluation: every model on every fold, and the scores."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from clearcnn import evaluation
from clearcnn.data import LabelledImages
from clearcnn.errors import DivergenceError
from clearcnn.evaluation import Fold
from clearcnn.language import say
from clearcnn.results.evaluate import FoldScore, ModelScore, Protocol, Reliability, Robustness
from clearcnn.results.scores import BalancedAccuracy, Difference, Interval, Score
from clearcnn.temperature import apply_temperature
from clearcnn.types import Pixels
from clearcnn.workflows.evaluate.cross_validate import (
    Candidate,
    ComparedCNN,
    FoldOutcome,
    fit_baseline,
    fit_fold,
)
from clearcnn.workflows.evaluate.in_parallel import run_in_parallel, train_in_parallel

UNDISTORTED = "none"


@dataclass(eq=False)
class ProtocolRun:
    """The folds of a protocol, and the trainings so far.

    Attributes:
      kind: "groups" or "random".
      images: all of them.
      folds: of the first repeat.
      outcomes: model name → one outcome for each fold and repeat.
    """

    kind: str
    images: LabelledImages
    folds: list[Fold]
    outcomes: dict[str, list[FoldOutcome]] = field(default_factory=dict)

    def fit_candidates(
        self,
        candidates: Sequence[Candidate],
        folds: Sequence[Fold],
        seed: int,
        on_step: Callable[[], None],
    ) -> None:
        """Train the CNNs on the folds, each with its own seed.

        Args:
          candidates: the first one is tested on distorted images too.
          folds: of the first repeat, or of another one.
          seed: of the first fold; each later fold has the next one.
          on_step: called after each training.
        """
        tasks = [
            partial(
                fit_fold,
                self.images,
                candidate,
                fold,
                len(fold.train),
                seed + number,
                is_distorted=candidate is candidates[0] and fold.repeat == 0,
            )
            for candidate in candidates
            for number, fold in enumerate(folds)
        ]
        with self._collecting([c.name for c in candidates for _ in folds], on_step) as collect:
            train_in_parallel(tasks, collect)

    def fit_baselines(
        self,
        names: Sequence[str],
        flat: Pixels,
        cnn: ComparedCNN,
        seed: int,
        on_step: Callable[[], None],
    ) -> None:
        """Train scikit-learn's classifiers on the folds of the first repeat.

        Several run at once, so each has one core: with a pool of threads each, their small matrix
        products wait for one another, and take ten times the processor time.
        """
        from threadpoolctl import threadpool_limits

        # Classifier by classifier: extra trees beside an MLP, which keeps Python's lock, took 34
        # seconds on the digits in place of 22.
        tasks = [
            partial(fit_baseline, self.images, flat, name, fold, cnn, seed + number)
            for name in names
            for number, fold in enumerate(self.folds)
        ]
        of_task = [name for name in names for _ in self.folds]
        with (
            threadpool_limits(1, user_api="blas"),
            self._collecting(of_task, on_step) as collect,
        ):
            for position, outcome in run_in_parallel(tasks):
                collect(position, outcome)

    def distort_baseline(
        self, name: str, flat: Pixels, cnn: ComparedCNN, seed: int
    ) -> list[FoldOutcome]:
        """Train one baseline again, and test it on distorted images too."""
        from threadpoolctl import threadpool_limits

        tasks = [
            partial(fit_baseline, self.images, flat, name, fold, cnn, seed + number, True)
            for number, fold in enumerate(self.folds)
        ]
        with threadpool_limits(1, user_api="blas"):
            found = dict(run_in_parallel(tasks))
        return [found[number] for number in range(len(tasks))]

    @contextmanager
    def _collecting(
        self, names: Sequence[str], on_step: Callable[[], None]
    ) -> Iterator[Callable[[int, FoldOutcome], None]]:
        """Collect outcomes by their position; also those before an interruption are kept.

        Args:
          names: of the model at each position.
          on_step: called after each outcome.
        """
        found: dict[int, FoldOutcome] = {}

        def collect(position: int, outcome: FoldOutcome) -> None:
            found[position] = outcome
            on_step()

        try:
            yield collect
        finally:
            for position in sorted(found):
                self.outcomes.setdefault(names[position], []).append(found[position])

    def keep_finished(self, name: str) -> bool:
        """After an interruption, keep what can be compared with a CNN on its finished folds.

        Args:
          name: of the CNN.
        Returns:
          Whether it has at least two folds, as an interval needs.
        """
        ours = self.outcomes.pop(name, [])
        repeats = {each.fold.repeat for each in ours}
        # An unfinished repeat would count its images more often than others.
        whole = [
            repeat
            for repeat in repeats
            if sum(each.fold.repeat == repeat for each in ours) == len(self.folds)
        ]
        ours = [each for each in ours if each.fold.repeat == 0 or each.fold.repeat in whole]
        finished = {each.fold.name for each in ours if each.fold.repeat == 0}
        others = {
            other: [
                each for each in outcomes if each.fold.repeat == 0 and each.fold.name in finished
            ]
            for other, outcomes in self.outcomes.items()
        }
        self.outcomes = {name: ours} | {
            other: outcomes for other, outcomes in others.items() if len(outcomes) == len(finished)
        }
        return len(finished) > 1

    def conclude(self, first: str, repeats: int, *, is_unequal: bool) -> Protocol:
        """Score every model, and compare the others with a CNN.

        Args:
          first: the name of this CNN.
          repeats: how often it was trained on the folds.
          is_unequal: whether to compute balanced accuracies, since classes differ in size.
        """
        others = [name for name in self.outcomes if name != first]
        ours = self.outcomes[first]
        models = [self._score(first, ours, None, is_unequal)]
        models += [self._score(name, self.outcomes[name], ours, is_unequal) for name in others]
        return Protocol(self.kind, self.describe(repeats), tuple(models))

    def describe(self, repeats: int) -> str:
        """Say on what each training is tested, and how often the folds are trained."""
        passes = (
            say("once")
            if repeats == 1
            else say("{number} times with different seeds", number=repeats)
        )
        if self.kind == "random" or self.images.groups is None:
            return say(
                "{num_images:,} images in {most} stratified folds, {repeats}; each training tests "
                "on one fold and trains on the others.",
                num_images=len(self.images),
                most=len(self.folds),
                repeats=passes,
            )
        groups = len(np.unique(self.images.groups))
        return say(
            "{num_images:,} images of {groups:,} groups; each of {num_trainings} trainings "
            "tests on {tested} it never saw, {repeats}.",
            num_images=len(self.images),
            groups=groups,
            num_trainings=len(self.folds),
            tested=say("one group") if len(self.folds) == groups else say("whole groups"),
            repeats=passes,
        )

    def find_divergences(self) -> dict[str, list[DivergenceError]]:
        """Return the errors of the diverged trainings by model name.

        Raises:
          DivergenceError: every training of a CNN diverged in its first epoch.
        """
        found = {}
        for name, outcomes in self.outcomes.items():
            ended = [each.divergence for each in outcomes if each.divergence is not None]
            if len(ended) == len(outcomes) and all(error.epoch == 0 for error in ended):
                raise ended[0]
            if ended:
                found[name] = ended
        return found

    def _score(
        self,
        name: str,
        outcomes: Sequence[FoldOutcome],
        ours: Sequence[FoldOutcome] | None,
        is_unequal: bool,
    ) -> ModelScore:
        folds = tuple(self._score_fold(each) for each in outcomes)
        theirs = [each for each in outcomes if each.fold.repeat == 0]
        difference = balanced_difference = p_value = None
        if ours is not None:
            first = [each for each in ours if each.fold.repeat == 0]
            difference = self._compare(first, theirs, lambda each: self._score_fold(each).accuracy)
            if is_unequal:
                balanced_difference = self._compare(
                    first, theirs, lambda each: self._balance([each]).accuracy
                )
            p_value = evaluation.compare_answers(
                np.concatenate([self._is_correct(each) for each in first]),
                np.concatenate([self._is_correct(each) for each in theirs]),
            )
        correct, total = sum(f.correct for f in folds), sum(f.total for f in folds)
        return ModelScore(
            name=name,
            score=Score(correct, total, self.find_interval(outcomes)),
            deviation=float(np.std([fold.accuracy for fold in folds], ddof=1)),
            folds=folds,
            difference=difference,
            p_value=p_value,
            balanced=self._balance(theirs) if is_unequal else None,
            balanced_difference=balanced_difference,
        )

    def _compare(
        self,
        ours: Sequence[FoldOutcome],
        theirs: Sequence[FoldOutcome],
        measure: Callable[[FoldOutcome], float],
    ) -> Difference:
        """Compare a figure of two models on the same folds."""
        return evaluation.compare_on_folds(
            [measure(each) for each in ours],
            [measure(each) for each in theirs],
            num_train=float(np.mean([len(fold.train) for fold in self.folds])),
            num_test=float(np.mean([len(fold.test) for fold in self.folds])),
        )

    def _balance(self, outcomes: Sequence[FoldOutcome]) -> BalancedAccuracy:
        """Compute the balanced accuracy over the test images of some folds."""
        confusion = np.zeros((len(self.images.class_names),) * 2, np.int_)
        for each in outcomes:
            np.add.at(confusion, (self.images.labels[each.fold.test], each.predictions), 1)
        return evaluation.balance(confusion)

    def find_interval(self, outcomes: Sequence[FoldOutcome]) -> Interval:
        """Compute the interval of the accuracy on new groups, or on new images."""
        if self.kind == "groups" and self.images.groups is not None:
            rows = np.concatenate([each.fold.test for each in outcomes])
            right = np.concatenate([self._is_correct(each) for each in outcomes])
            _, where = np.unique(self.images.groups[rows], return_inverse=True)
            repeats = len({each.fold.repeat for each in outcomes})
            return evaluation.group_interval(
                np.bincount(where, weights=right) / repeats, np.bincount(where) / repeats
            )
        return evaluation.fold_interval(
            [self._score_fold(each).accuracy for each in outcomes],
            num_train=float(np.mean([each.num_train for each in outcomes])),
            num_test=float(np.mean([len(each.fold.test) for each in outcomes])),
        )

    def pool(self, name: str) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Return the rows and the probabilities of a CNN in the first repeat."""
        first = [each for each in self.outcomes[name] if each.fold.repeat == 0]
        rows = np.concatenate([each.fold.test for each in first])
        return rows, np.concatenate(
            [each.probabilities for each in first if each.probabilities is not None]
        )

    def calibrate(self, name: str) -> NDArray[np.floating] | None:
        """Return the probabilities of `pool` at each fold's temperature, as far as all have one."""
        first = [each for each in self.outcomes[name] if each.fold.repeat == 0]
        if any(each.temperature is None for each in first):
            return None
        return np.concatenate(
            [
                apply_temperature(each.probabilities, each.temperature)
                for each in first
                if each.probabilities is not None and each.temperature is not None
            ]
        )

    def judge_reliability(self, name: str, seed: int) -> Reliability:
        """Measure the calibration of a CNN over the first repeat."""
        first = [each for each in self.outcomes[name] if each.fold.repeat == 0]
        temperatures = [each.temperature for each in first]
        rows, probabilities = self.pool(name)
        scaled = self.calibrate(name)
        known = [value for value in temperatures if value is not None]
        temperature = float(np.mean(known)) if scaled is not None else None
        labels = self.images.labels[rows]
        return describe_reliability(labels, probabilities, scaled, temperature, seed)

    def judge_robustness(
        self, name: str, baseline: Sequence[FoldOutcome] | None
    ) -> tuple[Robustness, ...]:
        """Compute the accuracy of a CNN and a baseline under each distortion.

        Args:
          name: of the CNN.
          baseline: the result of `distort_baseline`, or None.
        """
        first = [each for each in self.outcomes[name] if each.fold.repeat == 0]
        ours = self._mean_distorted(first)
        theirs = {} if baseline is None else self._mean_distorted(baseline)
        return tuple(Robustness(each, ours[each], theirs.get(each)) for each in ours)

    def _mean_distorted(self, outcomes: Sequence[FoldOutcome]) -> dict[str, float]:
        weights = [len(each.fold.test) for each in outcomes]
        table = [
            {UNDISTORTED: float(self._is_correct(each).mean()), **each.distorted}
            for each in outcomes
        ]
        return {
            key: float(np.average([row[key] for row in table], weights=weights)) for key in table[0]
        }

    def _is_correct(self, outcome: FoldOutcome) -> NDArray[np.bool_]:
        right: NDArray[np.bool_] = outcome.predictions == self.images.labels[outcome.fold.test]
        return right

    def _score_fold(self, outcome: FoldOutcome) -> FoldScore:
        right = self._is_correct(outcome)
        return FoldScore(
            outcome.fold.name, outcome.seed, outcome.num_train, int(right.sum()), len(right)
        )


def describe_reliability(
    labels: NDArray[np.int64],
    probabilities: NDArray[np.floating],
    scaled: NDArray[np.floating] | None,
    temperature: float | None,
    seed: int,
) -> Reliability:
    """Measure the calibration and the accuracy at each coverage.

    Args:
      labels: (n,) the true classes.
      probabilities: (n, num_classes).
      scaled: the same after temperature scaling; None without a temperature.
      temperature: of `scaled`.
      seed: of the simulated floor of the calibration error.
    """
    from sklearn.metrics import log_loss

    classes = np.arange(probabilities.shape[1])

    def find_loss(predicted: NDArray[np.floating]) -> float:
        exact = predicted.astype(np.float64)
        return float(log_loss(labels, exact / exact.sum(axis=1, keepdims=True), labels=classes))

    return Reliability(
        temperature=temperature,
        plain=evaluation.calibrate(labels, probabilities, seed=seed),
        scaled=None if scaled is None else evaluation.calibrate(labels, scaled, seed=seed),
        loss=find_loss(probabilities),
        scaled_loss=None if scaled is None else find_loss(scaled),
        coverage=evaluation.trace_coverage(labels, probabilities if scaled is None else scaled),
    )
