"""What `evaluate` found: frozen records, with the same fields as its JSON."""

from dataclasses import dataclass
from pathlib import Path

from clearcnn.results.train import (
    Calibration,
    CoveragePoint,
    Difference,
    Evaluation,
    Interval,
    Score,
)


@dataclass(frozen=True)
class FoldScore:
    """One training: what it was not trained on, and how much of that it got right.

    Attributes:
      name: of the group left out, or the number of the fold.
      seed: of the weights, the shuffles, dropout and augmentation.
      num_train: images trained on, and validated on to stop early.
      correct, total: images of the fold right, and in all.
    """

    name: str
    seed: int
    num_train: int
    correct: int
    total: int

    @property
    def accuracy(self) -> float:
        """Share of the fold's images right, in [0, 1]."""
        return self.correct / self.total


@dataclass(frozen=True)
class ModelScore:
    """One model over all folds of a protocol.

    Attributes:
      name: the recipe, the model file, or the baseline.
      score: images right over all folds, with the interval of the accuracy on new ones.
      deviation: standard deviation of the accuracy over folds and seeds, in fractions.
      folds: one for each training, in order.
      difference: the CNN's accuracy less this one's; None for the CNN itself.
      p_value: of the exact McNemar test on the same images; None for the CNN itself.
    """

    name: str
    score: Score
    deviation: float
    folds: tuple[FoldScore, ...]
    difference: Difference | None
    p_value: float | None

    @property
    def worst(self) -> FoldScore:
        """The fold with the lowest accuracy."""
        return min(self.folds, key=lambda fold: fold.accuracy)


@dataclass(frozen=True)
class Protocol:
    """One way to part the images, and every model under it.

    Attributes:
      kind: "groups" (whole groups are left out), "random" (stratified folds) or "test" (the
        test part of a finished run, or new data).
      sentence: what was done, with counts.
      models: the CNN first.
    """

    kind: str
    sentence: str
    models: tuple[ModelScore, ...]


@dataclass(frozen=True)
class Reliability:
    """Whether the CNN's confidence means what it says, before and after a temperature.

    Attributes:
      temperature: fitted on validation parts, the mean over folds; None where there were none.
      plain, scaled: without and with it; scaled is None without a temperature.
      loss, scaled_loss: mean cross-entropy in nats; scaled_loss likewise.
      coverage: what it costs to answer only when sure.
    """

    temperature: float | None
    plain: Calibration
    scaled: Calibration | None
    loss: float
    scaled_loss: float | None
    coverage: tuple[CoveragePoint, ...]


@dataclass(frozen=True)
class Robustness:
    """Accuracies under one distortion, in fractions; counts are those of the headline.

    Attributes:
      distortion: in words; "none" is the images as they are.
      ours: the CNN's.
      baseline: the best baseline's; None without one.
    """

    distortion: str
    ours: float
    baseline: float | None


@dataclass(frozen=True)
class LearningPoint:
    """The CNN's accuracy after training on so many images.

    Attributes:
      num_train: images trained and validated on, on average over folds.
      score: over the folds, with its interval.
    """

    num_train: int
    score: Score


@dataclass(frozen=True)
class LearningCurve:
    """Accuracy against the number of training images.

    Attributes:
      points: fewest images first.
      doubled: the accuracy that twice the images would probably bring, as an interval; None
        where the curve does not say.
      sentence: that in words, or why it cannot be said.
    """

    points: tuple[LearningPoint, ...]
    doubled: Interval | None
    sentence: str


@dataclass(frozen=True)
class Assessment:
    """How good a recipe or a finished run is on this data, and how sure that is.

    Attributes:
      source: what was read, in words.
      num_images: scored at least once.
      class_names: in order.
      protocols: the headline first.
      evaluation: the CNN under the headline: classes, confusion matrix, mistakes.
      reliability: of the headline.
      robustness: of the headline, "none" first.
      baseline: the best of the baselines under the headline; None without any.
      learning_curve: None where it was not asked for, or for a finished run.
      notes: what the reader should know, one sentence each.
      seconds: wall-clock seconds of each phase, in order.
      folder: where the report lies; None if none was written.
    """

    source: str
    num_images: int
    class_names: tuple[str, ...]
    protocols: tuple[Protocol, ...]
    evaluation: Evaluation
    reliability: Reliability
    robustness: tuple[Robustness, ...]
    baseline: str | None
    learning_curve: LearningCurve | None
    notes: tuple[str, ...]
    seconds: dict[str, float]
    folder: Path | None = None

    @property
    def headline(self) -> ModelScore:
        """The CNN under the first protocol."""
        return self.protocols[0].models[0]
