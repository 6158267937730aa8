"""A protocol at work: every model on every fold, and what that says of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clearcnn import evaluation
from clearcnn.data import LabelledImages
from clearcnn.errors import DivergenceError
from clearcnn.evaluation import Fold
from clearcnn.results.evaluate import FoldScore, ModelScore, Protocol, Reliability, Robustness
from clearcnn.results.scores import Interval, Score
from clearcnn.temperature import apply_temperature
from clearcnn.workflows.evaluate.cross_validate import (
    Candidate,
    FoldAnswers,
    fit_baseline,
    fit_fold,
    run_side_by_side,
    share_sizes,
)

UNDISTORTED = "none"


@dataclass(eq=False)
class ProtocolRun:
    """The folds of a protocol, and the answers so far.

    Attributes:
      kind: "groups" or "random".
      images: all of them.
      folds: of the first repeat.
      answers: by the model's name, one for each fold and repeat.
    """

    kind: str
    images: LabelledImages
    folds: list[Fold]
    answers: dict[str, list[FoldAnswers]] = field(default_factory=dict)

    def fit_candidates(
        self,
        candidates: Sequence[Candidate],
        folds: Sequence[Fold],
        seed: int,
        hear: Callable[[], None],
    ) -> None:
        """Train the CNNs on the folds; the seed is another one for each fold.

        Args:
          candidates: the first one answers the distorted images, too.
          folds: those of the first repeat, or of another one.
          seed: of the first fold.
          hear: called after each training.
        """
        sizes = share_sizes(folds)
        tasks = [
            partial(
                fit_fold,
                self.images,
                candidate,
                fold,
                size,
                seed + number,
                is_distorted=candidate is candidates[0] and fold.repeat == 0,
            )
            for candidate in candidates
            for number, (fold, size) in enumerate(zip(folds, sizes, strict=True))
        ]
        self._collect([c.name for c in candidates for _ in folds], tasks, hear)

    def fit_baselines(
        self, names: Sequence[str], num_parameters: int, seed: int, hear: Callable[[], None]
    ) -> None:
        """Train scikit-learn's classifiers on the folds of the first repeat."""
        tasks = [
            partial(fit_baseline, self.images, name, fold, num_parameters, seed + number)
            for name in names
            for number, fold in enumerate(self.folds)
        ]
        self._collect([name for name in names for _ in self.folds], tasks, hear)

    def distort_baseline(self, name: str, num_parameters: int, seed: int) -> list[FoldAnswers]:
        """Train one baseline as before, and let it answer the distorted images, too."""
        tasks = [
            partial(fit_baseline, self.images, name, fold, num_parameters, seed + number, True)
            for number, fold in enumerate(self.folds)
        ]
        found = dict(run_side_by_side(tasks))
        return [found[number] for number in range(len(tasks))]

    def _collect(
        self, names: Sequence[str], tasks: Sequence[Callable[[], Any]], hear: Callable[[], None]
    ) -> None:
        found: dict[int, FoldAnswers] = {}
        for position, answers in run_side_by_side(tasks):
            found[position] = answers
            hear()
        for position, name in enumerate(names):
            self.answers.setdefault(name, []).append(found[position])

    def conclude(self, sentence: str) -> Protocol:
        """Score every model, and compare each with the first one."""
        names = list(self.answers)
        ours = self.answers[names[0]]
        models = [self._score(names[0], ours, None)]
        models += [self._score(name, self.answers[name], ours) for name in names[1:]]
        return Protocol(self.kind, sentence, tuple(models))

    def find_divergences(self) -> dict[str, list[DivergenceError]]:
        """Give, by the model's name, what ended its trainings before their time.

        Raises:
          DivergenceError: no training of a CNN had a single good epoch.
        """
        found = {}
        for name, answers in self.answers.items():
            ended = [each.divergence for each in answers if each.divergence is not None]
            if len(ended) == len(answers) and all(error.epoch == 0 for error in ended):
                raise ended[0]
            if ended:
                found[name] = ended
        return found

    def _score(
        self, name: str, answers: Sequence[FoldAnswers], ours: Sequence[FoldAnswers] | None
    ) -> ModelScore:
        folds = tuple(self._score_fold(each) for each in answers)
        difference = p_value = None
        if ours is not None:
            theirs = [each for each in answers if each.fold.repeat == 0]
            first = [each for each in ours if each.fold.repeat == 0]
            difference = evaluation.compare_on_folds(
                [self._score_fold(each).accuracy for each in first],
                [self._score_fold(each).accuracy for each in theirs],
                num_train=float(np.mean([len(fold.train) for fold in self.folds])),
                num_test=float(np.mean([len(fold.test) for fold in self.folds])),
            )
            p_value = evaluation.compare_answers(
                np.concatenate([self._judge(each) for each in first]),
                np.concatenate([self._judge(each) for each in theirs]),
            )
        correct, total = sum(f.correct for f in folds), sum(f.total for f in folds)
        return ModelScore(
            name=name,
            score=Score(correct, total, self.find_interval(answers)),
            deviation=float(np.std([fold.accuracy for fold in folds], ddof=1)),
            folds=folds,
            difference=difference,
            p_value=p_value,
        )

    def find_interval(self, answers: Sequence[FoldAnswers]) -> Interval:
        """Give the interval of an accuracy on new groups, or on new images."""
        if self.kind == "groups" and self.images.groups is not None:
            rows = np.concatenate([each.fold.test for each in answers])
            right = np.concatenate([self._judge(each) for each in answers])
            _, where = np.unique(self.images.groups[rows], return_inverse=True)
            repeats = len({each.fold.repeat for each in answers})
            return evaluation.group_interval(
                np.bincount(where, weights=right) / repeats, np.bincount(where) / repeats
            )
        return evaluation.fold_interval(
            [self._score_fold(each).accuracy for each in answers],
            num_train=float(np.mean([each.num_train for each in answers])),
            num_test=float(np.mean([len(each.fold.test) for each in answers])),
        )

    def pool(self, name: str) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Give the rows and the probabilities of a CNN over the first repeat."""
        first = [each for each in self.answers[name] if each.fold.repeat == 0]
        rows = np.concatenate([each.fold.test for each in first])
        return rows, np.concatenate(
            [each.probabilities for each in first if each.probabilities is not None]
        )

    def judge_reliability(self, name: str, seed: int) -> Reliability:
        """Say whether a CNN's confidence means what it says."""
        first = [each for each in self.answers[name] if each.fold.repeat == 0]
        temperatures = [each.temperature for each in first]
        rows, probabilities = self.pool(name)
        scaled = None
        if None not in temperatures:
            scaled = np.concatenate(
                [
                    apply_temperature(each.probabilities, each.temperature)
                    for each in first
                    if each.probabilities is not None and each.temperature is not None
                ]
            )
        known = [value for value in temperatures if value is not None]
        temperature = float(np.mean(known)) if scaled is not None else None
        labels = self.images.labels[rows]
        return describe_reliability(labels, probabilities, scaled, temperature, seed)

    def judge_robustness(
        self, name: str, baseline: Sequence[FoldAnswers] | None
    ) -> tuple[Robustness, ...]:
        """Give the accuracies under each distortion, for a CNN and a baseline.

        Args:
          name: of the CNN.
          baseline: what `distort_baseline` gave.
        """
        first = [each for each in self.answers[name] if each.fold.repeat == 0]
        ours = self._mean_distorted(first)
        theirs = {} if baseline is None else self._mean_distorted(baseline)
        return tuple(Robustness(each, ours[each], theirs.get(each)) for each in ours)

    def _mean_distorted(self, answers: Sequence[FoldAnswers]) -> dict[str, float]:
        weights = [len(each.fold.test) for each in answers]
        table = [
            {UNDISTORTED: float(self._judge(each).mean()), **each.distorted} for each in answers
        ]
        return {
            key: float(np.average([row[key] for row in table], weights=weights)) for key in table[0]
        }

    def _judge(self, answers: FoldAnswers) -> NDArray[np.bool_]:
        right: NDArray[np.bool_] = answers.predictions == self.images.labels[answers.fold.test]
        return right

    def _score_fold(self, answers: FoldAnswers) -> FoldScore:
        right = self._judge(answers)
        return FoldScore(
            answers.fold.name, answers.seed, answers.num_train, int(right.sum()), len(right)
        )


def describe_reliability(
    labels: NDArray[np.int64],
    probabilities: NDArray[Any],
    scaled: NDArray[Any] | None,
    temperature: float | None,
    seed: int,
) -> Reliability:
    """Calibrate plain and scaled probabilities, and trace the coverage.

    Args:
      labels: (n,) the true classes.
      probabilities, scaled: (n, num_classes); scaled is None without a temperature.
      temperature: that made `scaled`.
      seed: of the floor of the calibration error.
    """
    from sklearn.metrics import log_loss

    classes = np.arange(probabilities.shape[1])

    def find_loss(chances: NDArray[Any]) -> float:
        whole = chances.astype(np.float64)
        return float(log_loss(labels, whole / whole.sum(axis=1, keepdims=True), labels=classes))

    return Reliability(
        temperature=temperature,
        plain=evaluation.calibrate(labels, probabilities, seed=seed),
        scaled=None if scaled is None else evaluation.calibrate(labels, scaled, seed=seed),
        loss=find_loss(probabilities),
        scaled_loss=None if scaled is None else find_loss(scaled),
        coverage=evaluation.trace_coverage(labels, probabilities if scaled is None else scaled),
    )
