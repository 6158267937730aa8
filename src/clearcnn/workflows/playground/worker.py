"""The playground's own process: it trains one changed model after another and stays warm.

It speaks JSON through a pipe: jobs come in, and what happens goes out, one message each.
"""

import json
import os
import shutil
import signal
from collections import OrderedDict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from clearcnn import bundle
from clearcnn.bundle import Bundle
from clearcnn.errors import ClearCNNError, DataError, DivergenceError, TrainingError
from clearcnn.specs import DataSpec, LayerSpec, ModelSpec
from clearcnn.workflows.playground.experiment import Trial
from clearcnn.workflows.runs.run_data import Lesson, read_run_data
from clearcnn.workflows.runs.run_version import RunVersion

_MOST_TRIALS = 3


def work(pipe: Connection, named: DataSpec | None = None) -> None:
    """Prepare and train what is asked for until the other end is gone.

    Args:
      pipe: brings {"cancel": true}, or jobs {"run", "fingerprint", "model",
        "epochs"}, with "prepare" to have
        everything compiled that the training will need, else with "out" and "against" to train;
        takes messages with "event": prepared; or begin, epoch, end, error or cancelled.
      named: as for `read_run_data`, of every run.
    """
    # Ctrl-C in the terminal reaches every process of the group; the server ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Whoever waits for an answer comes first. Windows has no such call.
    if hasattr(os, "nice"):
        os.nice(10)
    # First weights and scoring run once: what matters is that they are compiled soon.
    os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
    from clearcnn import training  # noqa: F401

    bench = _Bench(pipe, named)
    while True:
        try:
            job = json.loads(pipe.recv_bytes())
            if "prepare" in job:
                bench.prepare(job)
            elif "run" in job:
                bench.train(job)
        except (EOFError, OSError):
            return


def describe_failure(error: ClearCNNError) -> dict[str, Any]:
    """Make the last message of a training that failed."""
    return {
        "event": "error",
        "problem": error.problem,
        "remedy": error.remedy,
        "code": error.code,
        "values": error.values,
    }


class _Bench:
    """What is kept between jobs: the images of runs, and the trials that are prepared."""

    def __init__(self, pipe: Connection, named: DataSpec | None) -> None:
        self._pipe, self._named = pipe, named
        self._lessons: dict[Path, tuple[RunVersion, Bundle, Lesson]] = {}
        self._trials: OrderedDict[str, Trial] = OrderedDict()

    def prepare(self, job: dict[str, Any]) -> None:
        try:
            key = _key(job)
            if key not in self._trials:
                trial = self._make(job)
                trial.prepare()
                self._trials[key] = trial
            self._trials.move_to_end(key)
            while len(self._trials) > _MOST_TRIALS:
                self._trials.popitem(last=False)
        except (ClearCNNError, MemoryError, OSError):
            # Whoever trains it will be told.
            pass
        self._tell({"event": "prepared"})

    def train(self, job: dict[str, Any]) -> None:
        out = Path(job["out"])
        try:
            trial = self._trials.pop(_key(job), None) or self._make(job)
            against = Path(job["against"]) if job["against"] else None
            self._tell(trial.train(out, against, self._tell_unless_cancelled))
        except DivergenceError as error:
            diverged = TrainingError(
                error.problem,
                remedy=error.remedy,
                code="diverged",
                values={"epoch": error.epoch + 1},
            )
            self._tell(describe_failure(diverged))
        except ClearCNNError as error:
            self._tell(describe_failure(error))
        except OSError as error:
            # Nobody is to take a file that is not whole for the network.
            shutil.rmtree(out, ignore_errors=True)
            reason = error.strerror or str(error)
            not_written = TrainingError(
                f"The trained network cannot be written: {reason}.",
                remedy="Make room, or set TMPDIR to another folder, and train again.",
                code="not_written",
                values={"reason": reason},
            )
            self._tell(describe_failure(not_written))
        except MemoryError:
            problem = "There is not enough memory to train this model."
            too_large = TrainingError(problem, remedy="Make it smaller.", code="no_memory")
            self._tell(describe_failure(too_large))
        except KeyboardInterrupt:
            self._tell({"event": "cancelled"})

    def _make(self, job: dict[str, Any]) -> Trial:
        layers = (LayerSpec(each["layer"], each["arguments"]) for each in job["model"]["layers"])
        model = ModelSpec(job["model"]["name"], tuple(layers))
        return Trial(*self._open(_find_version(job)), model, job["epochs"])

    def _open(self, version: RunVersion) -> tuple[Bundle, Lesson]:
        known = self._lessons.get(version.folder)
        if known is None or known[0] != version:
            known = (version, *_read(version, self._named))
            self._lessons[version.folder] = known
        return known[1:]

    def _tell(self, message: dict[str, Any]) -> None:
        self._pipe.send_bytes(json.dumps(message).encode())

    def _tell_unless_cancelled(self, message: dict[str, Any]) -> None:
        self._tell(message)
        if message["event"] == "epoch" and self._pipe.poll():
            self._pipe.recv_bytes()
            raise KeyboardInterrupt


def _key(job: dict[str, Any]) -> str:
    return json.dumps([job[name] for name in ("run", "fingerprint", "model", "epochs")])


def _find_version(job: dict[str, Any]) -> RunVersion:
    """Return the version of the run that the server has loaded."""
    fingerprint = job["fingerprint"]
    return RunVersion(Path(job["run"]), fingerprint and tuple(fingerprint))


def _read(version: RunVersion, named: DataSpec | None) -> tuple[Bundle, Lesson]:
    run = bundle.read_bundle(version.folder)
    if not version.is_current():
        raise DataError(
            "The run folder was replaced by another run.",
            remedy="Reload the page.",
            code="run_replaced",
        )
    try:
        lesson = read_run_data(run.manifest, named)
    except DataError as error:
        # What the remedy says may name what lies in the source, and is not for all who may ask.
        raise DataError(
            error.problem,
            remedy="Start the server with --data and the run's images.",
            code="no_images",
        ) from None
    if not len(lesson.parts.validation):
        raise DataError(
            "The run has no validation images, by which the playground compares models.",
            remedy="Train the run again with a validation part.",
            code="no_validation",
        )
    return run, lesson
