"""Reading of a run's `metrics.json`: its history, its score, and how it ended."""

from dataclasses import dataclass, field
from typing import TypeVar

from clearcnn.bounded_json import MOST_MEMORY, JsonError, parse_json
from clearcnn.bundle.reader import Bundle
from clearcnn.errors import BundleError
from clearcnn.language import say
from clearcnn.results.json_codec import Mismatch, decode
from clearcnn.results.scores import Mistake, Score
from clearcnn.results.train import Divergence, History

METRICS_NAME = "metrics.json"

T = TypeVar("T")

# The confusion matrix has a number for each pair of classes, on its own line.
_MEMORY_FOR_A_PAIR = 68
_MOST_METRICS_MEMORY = 2**30


@dataclass(frozen=True)
class TestMetrics:
    """The score on the test set."""

    __test__ = False  # Keeps pytest from collecting it.

    score: Score


@dataclass(frozen=True)
class _TestMistakes:
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True)
class _RunMistakes:
    test: _TestMistakes


@dataclass(frozen=True)
class DataMetrics:
    """The number of images in the training set."""

    train: int


@dataclass(frozen=True)
class RunMetrics:
    """Some of the fields that `write_metrics` writes.

    Attributes:
      recipe: the name of the recipe.
      history: of every finished epoch.
      test: the score on the test set.
      interrupted, divergence, seconds: as in TrainResult.
      data: the data; None in run folders of older versions.
    """

    recipe: str
    history: History
    test: TestMetrics
    interrupted: bool = False
    divergence: Divergence | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    data: DataMetrics | None = None


def read_metrics(run: Bundle) -> RunMetrics:
    """Read a run's `metrics.json`.

    Raises:
      BundleError: it is not what a run writes, or is too large for the number of classes.
    """
    metrics = _decode(run, RunMetrics)
    score = metrics.test.score
    if not 0 <= score.correct <= score.total or score.total < 1:
        raise _damaged(
            run,
            say("its test score is {correct} of {total}", correct=score.correct, total=score.total),
        )
    return metrics


def read_mistakes(run: Bundle) -> tuple[Mistake, ...]:
    """Read the misclassified test images from a run's `metrics.json`.

    Returns:
      All of them. The names of their classes are the run's own, and nothing more has been checked.
    Raises:
      BundleError: it is not what a run writes, or is too large for the number of classes.
    """
    mistakes = _decode(run, _RunMistakes).test.mistakes
    known = {*run.manifest.class_names}
    for mistake in mistakes:
        for name in (mistake.label, mistake.prediction):
            if name not in known:
                raise _damaged(run, say("it names an unknown class, {name!r}", name=name[:100]))
    return mistakes


def _decode(run: Bundle, kind: type[T]) -> T:
    pairs = len(run.manifest.class_names) ** 2
    most_memory = min(MOST_MEMORY + _MEMORY_FOR_A_PAIR * pairs, _MOST_METRICS_MEMORY)
    try:
        values = parse_json(run.read(METRICS_NAME, most_memory), most_memory=most_memory)
        decoded: T = decode(kind, values, "metrics")
    except (JsonError, Mismatch) as error:
        raise _damaged(run, str(error)) from error
    return decoded


def _damaged(run: Bundle, what: str) -> BundleError:
    return BundleError(
        say("{folder} is damaged: {what}.", folder=run.folder / METRICS_NAME, what=what),
        remedy=say("Restore it from a backup, or train again."),
    )
