"""The attempts of a class folder: the run folders that were trained on it, compared.

Nothing else is kept about an attempt, so trainings on the command line are attempts too.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clearcnn import bundle, evaluation
from clearcnn.bounded_json import parse_json
from clearcnn.bundle import METRICS_NAME, Bundle
from clearcnn.errors import BundleError
from clearcnn.results.json_codec import Mismatch, decode, to_json
from clearcnn.results.scores import Evaluation
from clearcnn.results.train import DataSummary, History
from clearcnn.types import JsonObject

_MOST_METRICS_BYTES = 64 * 2**20
_MOST_TABLE_BYTES = 256 * 2**20
_MOST_ATTEMPTS = 200
_ALPHA = 0.05


@dataclass(frozen=True)
class Metrics:
    """The fields of a run's `metrics.json` that the studio shows.

    Attributes:
      recipe, data, history, test, seconds, warnings, interrupted, advice: as in TrainResult.
    """

    recipe: str
    data: DataSummary
    history: History
    test: Evaluation
    seconds: dict[str, float]
    warnings: tuple[str, ...] = ()
    interrupted: bool = False
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Attempt:
    """A finished run of the class folder.

    Attributes:
      run: its folder and manifest.
      metrics: its result.
      right: test picture → whether it was recognised.
    """

    run: Bundle
    metrics: Metrics
    right: dict[str, bool]


class Attempts:
    """Finds the runs of a class folder, oldest first; each is read once.

    Args:
      folder: the class folder, absolute.
      runs: the folder with the run folders; it need not exist.
    """

    def __init__(self, folder: Path, runs: Path) -> None:
        self._folder, self.runs = folder, runs
        self._known: dict[tuple[str, int], Attempt | None] = {}

    def list_all(self) -> list[Attempt]:
        """Read the runs of the class folder, oldest first; incomplete runs are skipped."""
        found = sorted(self._read_each(), key=lambda each: each[0])
        return [attempt for _, attempt in found][-_MOST_ATTEMPTS:]

    def find(self, name: str) -> Attempt | None:
        """Return the attempt whose run folder has this name."""
        return next((each for each in self.list_all() if each.run.folder.name == name), None)

    def _read_each(self) -> Iterator[tuple[tuple[str, int, str], Attempt]]:
        """Read every run that is whole, with what it is sorted by."""
        if not self.runs.is_dir():
            return
        for place in sorted(self.runs.iterdir()):
            manifest = place / bundle.MANIFEST_NAME
            if not manifest.is_file():
                continue
            key = (place.name, manifest.stat().st_mtime_ns)
            if key not in self._known:
                self._known[key] = self._read(place)
            attempt = self._known[key]
            if attempt is not None:
                # `created` counts seconds; two short trainings may begin in the same one.
                yield (attempt.run.manifest.created, key[1], place.name), attempt

    def _read(self, place: Path) -> Attempt | None:
        try:
            run = bundle.read_bundle(place, only=())
            if self._locate(run.manifest.data.source) != self._folder.resolve():
                return None
            values = parse_json(run.read(METRICS_NAME, _MOST_METRICS_BYTES), most_memory=2**30)
            metrics: Metrics = decode(Metrics, values, "metrics")
            return Attempt(run, metrics, dict(_read_answers(run)))
        except (BundleError, Mismatch, ValueError, KeyError, csv.Error):
            return None

    def _locate(self, source: str) -> Path:
        path = Path(source.removeprefix("folder:"))
        # A relative source was named beside the runs, as `clearcnn train` makes them.
        return (path if path.is_absolute() else self.runs.parent / path).resolve()


def describe_attempts(attempts: list[Attempt]) -> list[JsonObject]:
    """Describe each attempt, and compare it with the one before, as JSON values.

    Two runs are compared on the pictures that are in both test sets: neither was trained on them.
    """
    before: list[Attempt | None] = [None, *attempts]
    return [
        {
            "run": attempt.run.folder.name,
            "recipe": attempt.metrics.recipe,
            "epochs": attempt.metrics.history.num_epochs,
            "pictures": sum(each.total for each in attempt.metrics.data.classes),
            "score": to_json(attempt.metrics.test.score),
            "seconds": sum(attempt.metrics.seconds.values()),
            "interrupted": attempt.metrics.interrupted,
            "against": None if previous is None else compare(attempt, previous),
        }
        for attempt, previous in zip(attempts, before, strict=False)
    ]


def compare(attempt: Attempt, other: Attempt) -> JsonObject:
    """Compare two attempts by McNemar's test on the test pictures of both.

    Returns:
      `run`, the other's name; `total`, the pictures in both test sets; `lead`, how many more of
      them this attempt recognises; `p_value`; `verdict`: better, worse, alike, or "none" without
      common pictures.
    """
    common = sorted(attempt.right.keys() & other.right.keys())
    ours = [attempt.right[name] for name in common]
    theirs = [other.right[name] for name in common]
    lead = sum(ours) - sum(theirs)
    p_value = evaluation.compare_answers(ours, theirs) if common else 1.0
    verdict = "alike" if common else "none"
    if p_value < _ALPHA:
        verdict = "better" if lead > 0 else "worse"
    return {
        "run": other.run.folder.name,
        "total": len(common),
        "lead": lead,
        "p_value": p_value,
        "verdict": verdict,
    }


def describe_result(attempt: Attempt) -> JsonObject:
    """Describe the whole result of an attempt as JSON values."""
    metrics = attempt.metrics
    return {
        "run": attempt.run.folder.name,
        "class_names": [each.name for each in metrics.test.classes],
        "test": to_json(metrics.test),
        "history": {name: list(values) for name, values in metrics.history.metrics.items()},
        "data": {
            "train": metrics.data.train,
            "validation": metrics.data.validation,
            "test": metrics.data.test,
            "num_groups": metrics.data.num_groups,
        },
        "warnings": list(metrics.warnings),
        "advice": list(metrics.advice),
        "seconds": dict(metrics.seconds),
        "files": {name: entry.bytes for name, entry in attempt.run.manifest.files.items()},
    }


def _read_answers(run: Bundle) -> Iterator[tuple[str, bool]]:
    text = run.read("predictions.csv", _MOST_TABLE_BYTES).decode()
    for row in csv.DictReader(io.StringIO(text, newline="")):
        yield row["name"], row["correct"] == "true"
