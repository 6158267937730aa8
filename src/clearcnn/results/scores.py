"""Scores, intervals and calibration: frozen records that several verbs share."""

from dataclasses import dataclass

from clearcnn.language import say
from clearcnn.results.percent import percent
from clearcnn.results.record import Record


@dataclass(frozen=True)
class Interval:
    """A confidence interval, with the method that made it."""

    low: float
    high: float
    confidence: float
    method: str


@dataclass(frozen=True)
class Score:
    """Correct predictions out of images scored; an accuracy always travels with its counts."""

    correct: int
    total: int
    interval: Interval

    @property
    def accuracy(self) -> float:
        """Fraction of correct predictions, in [0, 1]."""
        return self.correct / self.total

    def __str__(self) -> str:
        """Return the accuracy with its counts and interval: "525 of 540 correct: 97.2 %, …"."""
        return self.in_words()

    def in_words(self, noun: str = "") -> str:
        """Return the accuracy with its counts and interval, naming what was counted.

        Args:
          noun: such as "test images"; empty names nothing.
        """
        interval = self.interval
        return say(
            "{correct:,} of {total:,} {images}correct: {accuracy} %, {confidence:g} % "
            "interval {low}–{high}",
            correct=self.correct,
            total=self.total,
            images=noun + " " if noun else "",
            accuracy=percent(self.accuracy),
            confidence=100 * interval.confidence,
            low=percent(interval.low),
            high=percent(interval.high),
        )

    def __float__(self) -> float:
        """Return the accuracy, in [0, 1]."""
        return self.accuracy


@dataclass(frozen=True)
class Difference:
    """Difference in accuracy between two models, as a fraction."""

    mean: float
    interval: Interval

    @property
    def verdict(self) -> str:
        """Conclusion that the interval supports: better, worse, or neither."""
        if self.interval.low > 0:
            return "better"
        if self.interval.high < 0:
            return "worse"
        return say("cannot be told apart on this data")


@dataclass(frozen=True)
class ClassScore:
    """One class's metrics on the test set, in [0, 1], with their counts.

    Attributes:
      precision: None if the class was never predicted.
      recall, f1: None if the test set has no image of the class.
      support: test images of the class.
      predicted: test images predicted as the class.
    """

    name: str
    precision: float | None
    recall: float | None
    f1: float | None
    support: int
    predicted: int


@dataclass(frozen=True)
class Mistake:
    """A misclassified test image.

    Attributes:
      index: its row among all images of the source.
      name: its file name, or its row in words.
      confidence: the probability of the predicted class, in [0, 1], calibrated as in `predict`
        if the model has a validation set.
    """

    index: int
    name: str
    label: str
    prediction: str
    confidence: float


@dataclass(frozen=True, repr=False)
class BalancedAccuracy(Record):
    """The mean of the classes' recalls, in which every class counts the same.

    Attributes:
      accuracy: in [0, 1].
      num_classes: classes with test images, whose recalls were averaged.
    """

    accuracy: float
    num_classes: int
    interval: Interval


@dataclass(frozen=True, repr=False)
class Evaluation(Record):
    """The model's metrics on one split of the data.

    Attributes:
      loss: mean cross-entropy in nats, without label smoothing.
      confusion: rows are true classes, columns predicted classes, in the order of `classes`.
      mistakes: all of them, the most confident first.
      balanced: the balanced accuracy; None in run folders of older versions.
    """

    score: Score
    loss: float
    classes: tuple[ClassScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    mistakes: tuple[Mistake, ...]
    balanced: BalancedAccuracy | None = None

    @property
    def is_unequal(self) -> bool:
        """Whether a class has over twice the test images of another, so that accuracies differ."""
        supports = [each.support for each in self.classes if each.support]
        return max(supports, default=0) > 2 * min(supports, default=0)


@dataclass(frozen=True)
class CalibrationBin:
    """One bin of a reliability diagram: mean confidence and accuracy."""

    low: float
    high: float
    total: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, repr=False)
class Calibration(Record):
    """Reliability diagram and expected calibration error.

    Attributes:
      error: the expected calibration error, in [0, 1].
      floor, floor_95: mean and 95th percentile of the error of a perfectly calibrated model on
        the same number of images.
    """

    error: float
    floor: float
    floor_95: float
    bins: tuple[CalibrationBin, ...]


@dataclass(frozen=True)
class CoveragePoint:
    """Accuracy when only the most confident predictions are kept.

    Attributes:
      coverage: fraction of images kept, in (0, 1].
      answered, correct: images kept, and correct predictions among them.
      threshold: the lowest confidence kept.
    """

    coverage: float
    answered: int
    correct: int
    threshold: float


@dataclass(frozen=True)
class CurvePoint:
    """What a threshold on the probability of the positive class gives; all in [0, 1]."""

    threshold: float
    recall: float
    false_positive_rate: float
    precision: float


@dataclass(frozen=True, repr=False)
class BinaryCurves(Record):
    """ROC and precision-recall curve of a model of two classes.

    Attributes:
      positive: the class whose images are to be found, the rarer one of the two.
      positives, negatives: images of this class, and of the other.
      area: under the ROC curve: the probability that an image of the class gets a higher
        probability than one of the other class.
      average_precision: the mean precision over the recalls.
      points: thresholds in descending order, at most 200.
    """

    positive: str
    positives: int
    negatives: int
    area: float
    area_interval: Interval
    average_precision: float
    average_precision_interval: Interval
    points: tuple[CurvePoint, ...]
