"""The playground's process: it trains one changed model after another and stays warm.

It receives jobs and sends events through a pipe, one JSON message each.
"""

import json
import os
import shutil
import signal
from collections import OrderedDict
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from clearcnn import bundle
from clearcnn.bundle import Bundle
from clearcnn.errors import BundleError, ClearCNNError, DataError, DivergenceError, TrainingError
from clearcnn.language import say
from clearcnn.results.json_codec import describe_failure
from clearcnn.specs import DataSpec, LayerSpec, ModelSpec
from clearcnn.types import JsonObject
from clearcnn.workflows.playground.experiment import Experiment
from clearcnn.workflows.runs.run_data import RunData, read_run_data
from clearcnn.workflows.runs.run_version import RunVersion

_MOST_EXPERIMENTS = 3


class Job(TypedDict):
    """What to prepare or to train.

    Attributes:
      run: the run folder.
      fingerprint: of its version that the server has loaded; None if it was not there.
      model: a ModelSpec as JSON values.
      epochs: > 0.
      prepare: there if the job is to compile all programs only.
      out: of a training, the folder to make.
      against: of a training, as for `Experiment.train`.
    """

    run: str
    fingerprint: tuple[int, int, int] | None
    model: dict[str, Any]
    epochs: int
    prepare: NotRequired[bool]
    out: NotRequired[str]
    against: NotRequired[str | None]


class _CancelledError(Exception):
    """The training was cancelled."""


def work(pipe: Connection, named: DataSpec | None = None) -> None:
    """Do jobs until the other end of the pipe closes.

    Args:
      pipe: receives a Job, or {"cancel": true}; sends messages with "event": ready, once; and then
        prepared; or begin, epoch, end, error or cancelled.
      named: as for `read_run_data`, for every run.
    """
    # Ctrl-C in the terminal reaches every process of the group; the server ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Predictions come before trainings. Windows has no `nice`.
    if hasattr(os, "nice"):
        os.nice(10)
    # The programs of the initial weights and of scoring run once, so compile them fast.
    os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
    from clearcnn import training  # noqa: F401

    worker = _Worker(pipe, named)
    with suppress(OSError):
        pipe.send_bytes(json.dumps({"event": "ready"}).encode())
    while True:
        try:
            job = json.loads(pipe.recv_bytes())
            if "prepare" in job:
                worker.prepare(job)
            elif "run" in job:
                worker.train(job)
        except (EOFError, OSError):
            return


class _Worker:
    """Does jobs; keeps the images of runs and the prepared experiments between them."""

    def __init__(self, pipe: Connection, named: DataSpec | None) -> None:
        self._pipe, self._named = pipe, named
        self._run_data: dict[Path, tuple[RunVersion, Bundle, RunData]] = {}
        self._experiments: OrderedDict[str, Experiment] = OrderedDict()

    def prepare(self, job: Job) -> None:
        try:
            key = _key(job)
            if key not in self._experiments:
                experiment = self._make(job)
                experiment.prepare()
                self._experiments[key] = experiment
            self._experiments.move_to_end(key)
            while len(self._experiments) > _MOST_EXPERIMENTS:
                self._experiments.popitem(last=False)
        except (ClearCNNError, MemoryError, OSError):
            # The training will report it.
            pass
        self._tell({"event": "prepared"})

    def train(self, job: Job) -> None:
        out = Path(job["out"])
        try:
            experiment = self._experiments.pop(_key(job), None) or self._make(job)
            against = Path(job["against"]) if job["against"] else None
            self._tell(experiment.train(out, against, self._tell_unless_cancelled))
        except DivergenceError as error:
            diverged = TrainingError(
                error.problem,
                remedy=error.remedy,
                code="diverged",
                values={"epoch": error.epoch + 1},
            )
            self._tell(describe_failure(diverged))
        except BundleError as error:
            # Files that do not fit their manifest are those of another run, if it was replaced.
            asked = _find_version(job)
            is_replaced = asked.is_readable and not asked.is_current()
            self._tell(describe_failure(_replaced() if is_replaced else error))
        except ClearCNNError as error:
            self._tell(describe_failure(error))
        except OSError as error:
            # Nobody may load an incomplete file.
            shutil.rmtree(out, ignore_errors=True)
            reason = error.strerror or str(error)
            not_written = TrainingError(
                say("The trained network cannot be written: {reason}.", reason=reason),
                remedy=say("Make room, or set TMPDIR to another folder, and train again."),
                code="not_written",
                values={"reason": reason},
            )
            self._tell(describe_failure(not_written))
        except MemoryError:
            problem = say("There is not enough memory to train this model.")
            too_large = TrainingError(problem, remedy=say("Make it smaller."), code="no_memory")
            self._tell(describe_failure(too_large))
        except _CancelledError:
            self._tell({"event": "cancelled"})

    def _make(self, job: Job) -> Experiment:
        layers = (LayerSpec(each["layer"], each["arguments"]) for each in job["model"]["layers"])
        model = ModelSpec(job["model"]["name"], tuple(layers))
        return Experiment(*self._open(_find_version(job)), model, job["epochs"])

    def _open(self, version: RunVersion) -> tuple[Bundle, RunData]:
        known = self._run_data.get(version.folder)
        if known is None or known[0] != version:
            known = (version, *_read(version, self._named))
            self._run_data[version.folder] = known
        return known[1:]

    def _tell(self, message: JsonObject) -> None:
        self._pipe.send_bytes(json.dumps(message).encode())

    def _tell_unless_cancelled(self, message: JsonObject) -> None:
        self._tell(message)
        if message["event"] == "epoch" and self._pipe.poll():
            self._pipe.recv_bytes()
            raise _CancelledError


def _key(job: Job) -> str:
    return json.dumps([job["run"], job["fingerprint"], job["model"], job["epochs"]])


def _find_version(job: Job) -> RunVersion:
    """Return the version of the run that the server has loaded."""
    found = job["fingerprint"]
    # JSON made a list of it.
    return RunVersion(Path(job["run"]), None if found is None else (found[0], found[1], found[2]))


def _replaced() -> DataError:
    return DataError(
        say("The run folder was replaced by another run."),
        remedy=say("Reload the page."),
        code="run_replaced",
    )


def _read(version: RunVersion, named: DataSpec | None) -> tuple[Bundle, RunData]:
    run = bundle.read_bundle(version.folder)
    if not version.is_current():
        raise _replaced()
    try:
        run_data = read_run_data(run.manifest, named)
    except DataError as error:
        # The remedy may name files of the source, which not every client may know.
        raise DataError(
            error.problem,
            remedy=say("Start the server with --data and the run's images."),
            code="no_images",
        ) from None
    if not len(run_data.splits.validation):
        raise DataError(
            say("The run has no validation set, on which the playground compares models."),
            remedy=say("Train the run again with a validation set."),
            code="no_validation",
        )
    return run, run_data
