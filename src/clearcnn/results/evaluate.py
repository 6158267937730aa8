"""What `evaluate` found: frozen records, with the same fields as its JSON."""

from dataclasses import dataclass, field
from pathlib import Path

from clearcnn.language import say
from clearcnn.results.pictures import NOT_IN_JSON, Pictures
from clearcnn.results.record import Record, Reported
from clearcnn.results.scores import (
    BalancedAccuracy,
    Calibration,
    CoveragePoint,
    Difference,
    Evaluation,
    Interval,
    Score,
)


@dataclass(frozen=True)
class FoldScore:
    """One training of a fold, scored on the images that it was not trained on.

    Attributes:
      name: the group left out, or the number of the fold.
      seed: seed of weights, shuffling, dropout and augmentation.
      num_train: training images, with those held out for early stopping.
      correct, total: correct predictions and images in the fold.
    """

    name: str
    seed: int
    num_train: int
    correct: int
    total: int

    @property
    def accuracy(self) -> float:
        """Accuracy on the fold, in [0, 1]."""
        return self.correct / self.total


@dataclass(frozen=True, repr=False)
class ModelScore(Record):
    """One model over all folds of a protocol.

    Attributes:
      name: the recipe, the model file, or the baseline.
      score: correct predictions over all folds, with the interval of the accuracy on new images.
      deviation: standard deviation of the accuracy over folds and seeds, in fractions.
      folds: one for each training, in order.
      difference: the CNN's accuracy minus this model's; None for the CNN itself.
      p_value: p-value of the exact McNemar test on the same images; None for the CNN itself.
      balanced: the balanced accuracy over the images; None where it was not computed.
      balanced_difference: as `difference`, of the balanced accuracies of the folds.
    """

    name: str
    score: Score
    deviation: float
    folds: tuple[FoldScore, ...]
    difference: Difference | None
    p_value: float | None
    balanced: BalancedAccuracy | None = None
    balanced_difference: Difference | None = None

    @property
    def worst(self) -> FoldScore:
        """The fold with the lowest accuracy."""
        return min(self.folds, key=lambda fold: fold.accuracy)


@dataclass(frozen=True, repr=False)
class Protocol(Record):
    """One way to split the images, and the scores of every model under it.

    Attributes:
      kind: "groups" (whole groups are left out), "random" (stratified folds) or "test" (the
        test set of a finished run, or new data).
      sentence: what was done, with counts.
      models: the CNN first.
    """

    kind: str
    sentence: str
    models: tuple[ModelScore, ...]


@dataclass(frozen=True, repr=False)
class Reliability(Record):
    """Whether the CNN's confidence means what it says, before and after a temperature.

    Attributes:
      temperature: fitted on validation sets, mean over folds; None without validation sets.
      plain, scaled: calibration without and with the temperature; scaled is None without one.
      loss, scaled_loss: mean cross-entropy in nats, without and with the temperature.
      coverage: accuracy against the share of images predicted, most confident first.
    """

    temperature: float | None
    plain: Calibration
    scaled: Calibration | None
    loss: float
    scaled_loss: float | None
    coverage: tuple[CoveragePoint, ...]


@dataclass(frozen=True)
class Robustness:
    """Accuracies under one distortion, as fractions; counts are those of the headline.

    Attributes:
      distortion: its name; "none" for the unchanged images.
      ours: the CNN's.
      baseline: the best baseline's; None without one.
    """

    distortion: str
    ours: float
    baseline: float | None


@dataclass(frozen=True)
class LearningPoint:
    """The CNN's accuracy at one training set size.

    Attributes:
      num_train: training and validation images, mean over folds.
      score: over the folds, with its interval.
    """

    num_train: int
    score: Score


@dataclass(frozen=True, repr=False)
class LearningCurve(Record):
    """Accuracy against the number of training images.

    Attributes:
      points: fewest images first.
      doubled: interval of the accuracy to expect from twice the images; None if the curve
        does not support a forecast.
      sentence: the forecast in words, or why there is none.
    """

    points: tuple[LearningPoint, ...]
    doubled: Interval | None
    sentence: str


@dataclass(frozen=True, repr=False)
class Assessment(Reported):
    """How accurate a recipe or a finished run is on this data, with intervals.

    Attributes:
      source: what was read, in words.
      num_images: scored at least once.
      class_names: in order.
      protocols: the headline first.
      evaluation: the CNN under the headline: classes, confusion matrix, mistakes.
      reliability: of the headline.
      robustness: of the headline, "none" first.
      baseline: the best of the baselines under the headline; None without any.
      learning_curve: None if it was not requested, or for a finished run.
      notes: caveats, one sentence each.
      seconds: wall-clock seconds of each phase, in order.
      interrupted: whether Ctrl-C ended it; then some folds, or the learning curve, are missing.
      folder: where the report was written; None if it was not.
      pictures: the first mistakes, to be shown in a notebook; not in the JSON.
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
    interrupted: bool = False
    folder: Path | None = None
    pictures: Pictures | None = field(default=None, repr=False, compare=False, metadata=NOT_IN_JSON)

    def __repr__(self) -> str:
        return say(
            "Assessment({name!r} on {source!r}: {score})",
            name=self.headline.name,
            source=self.source,
            score=self.score,
        )

    @property
    def headline(self) -> ModelScore:
        """The CNN under the first protocol."""
        return self.protocols[0].models[0]

    @property
    def score(self) -> Score:
        """The score of the headline."""
        return self.headline.score

    @property
    def page(self) -> Path:
        """The path of the report."""
        return (self.folder or Path()) / "report.html"
