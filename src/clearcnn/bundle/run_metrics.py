"""What is asked of a run's `metrics.json` later: its history, its score, and how it ended."""

from dataclasses import dataclass

from clearcnn.bounded_json import MOST_MEMORY, JsonError, parse_json
from clearcnn.bundle.reader import Bundle
from clearcnn.errors import BundleError
from clearcnn.results.json_codec import Mismatch, decode
from clearcnn.results.scores import Score
from clearcnn.results.train import Divergence, History

METRICS_NAME = "metrics.json"

# For each pair of classes the confusion matrix has a number, on a line of its own.
_MEMORY_FOR_A_PAIR = 68
_MOST_METRICS_MEMORY = 2**30


@dataclass(frozen=True)
class TestMetrics:
    """What the test part says."""

    __test__ = False  # pytest takes names for tests.

    score: Score


@dataclass(frozen=True)
class RunMetrics:
    """A part of what `write_metrics` wrote.

    Attributes:
      recipe: its name.
      history: of every finished epoch.
      test: what the test part says.
      interrupted, divergence: as in TrainResult.
    """

    recipe: str
    history: History
    test: TestMetrics
    interrupted: bool = False
    divergence: Divergence | None = None


def read_metrics(run: Bundle) -> RunMetrics:
    """Read a run's `metrics.json`.

    Raises:
      BundleError: it is not what a run writes, or becomes more than one of so many classes does.
    """
    pairs = len(run.manifest.class_names) ** 2
    most_memory = min(MOST_MEMORY + _MEMORY_FOR_A_PAIR * pairs, _MOST_METRICS_MEMORY)
    try:
        values = parse_json(run.read(METRICS_NAME, most_memory), most_memory=most_memory)
        metrics: RunMetrics = decode(RunMetrics, values, "metrics")
    except (JsonError, Mismatch) as error:
        raise _strange(run, str(error)) from error
    score = metrics.test.score
    if not 0 <= score.correct <= score.total or score.total < 1:
        raise _strange(run, f"its test score is {score.correct} of {score.total}")
    return metrics


def _strange(run: Bundle, what: str) -> BundleError:
    return BundleError(
        f"{run.folder / METRICS_NAME} is not as clearcnn writes it: {what}.",
        remedy="Restore it from a copy, or train again.",
    )
