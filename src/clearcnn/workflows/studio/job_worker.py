"""The studio's process: it trains and checks the class folder, one job after another.

It stays warm between jobs. Jobs come and events go through a pipe, one JSON message each. It trains
as `clearcnn train` does, so the same command ends in the same bits.
"""

import json
import os
import shutil
import signal
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NotRequired, TypedDict

from clearcnn import bundle
from clearcnn.errors import ClearCNNError, StudioError
from clearcnn.language import say
from clearcnn.results.json_codec import describe_failure, to_json
from clearcnn.results.train import DataSummary, FlipTrial, ModelSummary
from clearcnn.specs import DataSpec
from clearcnn.types import JsonObject
from clearcnn.workflows.fitting.listeners import EvaluateListener, TrainListener
from clearcnn.workflows.studio.look import look
from clearcnn.workflows.studio.picture_names import GROUPS
from clearcnn.workflows.train.forecast import forecast
from clearcnn.workflows.train.train import train


class Job(TypedDict):
    """What to do with the class folder.

    Attributes:
      kind: look, pace (measure how long a training would take) or train.
      folder: the class folder.
      out: of a training, the run folder to make.
      by_group: whether bursts are kept on one side of the split.
      recipe, epochs, seed, budget, language: as for `train`.
      command: the command that gives the same run.
    """

    kind: str
    folder: str
    out: NotRequired[str]
    by_group: NotRequired[bool]
    recipe: NotRequired[str]
    epochs: NotRequired[int | None]
    seed: NotRequired[int]
    budget: NotRequired[float | None]
    language: NotRequired[str]
    command: NotRequired[str]


class _CancelledError(Exception):
    """The job was cancelled."""


def work(pipe: Connection) -> None:
    """Do jobs until the other end of the pipe closes.

    Args:
      pipe: receives a Job, or {"cancel": true}; sends messages with "event"; the last one of a job
        is end, error or cancelled.
    """
    # Ctrl-C in the terminal reaches every process of the group; the server ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "nice"):  # Windows has none.
        os.nice(5)
    from clearcnn import training  # noqa: F401

    while True:
        try:
            job = json.loads(pipe.recv_bytes())
        except (EOFError, OSError):
            return
        if "kind" in job:
            _Events(pipe).do(job)


class _Events(TrainListener, EvaluateListener):
    """Sends the progress of one job, and ends the job when it is cancelled."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def do(self, job: Job) -> None:
        try:
            if job["kind"] == "look":
                self._tell({"event": "end", **look(Path(job["folder"]), self)})
            elif job["kind"] == "pace":
                self._forecast(job)
            else:
                self._train(job)
        except _CancelledError:
            self._remove_unfinished(job)
            self._tell({"event": "cancelled"})
        except ClearCNNError as error:
            self._remove_unfinished(job)
            self._tell(describe_failure(error))
        except OSError as error:
            self._remove_unfinished(job)
            reason = error.strerror or str(error)
            refused = StudioError(
                say("The job was stopped by the system: {reason}.", reason=reason),
                remedy=say(
                    "Free disk space or check the permissions of the folder, and try again."
                ),
            )
            with suppress(OSError):  # The server has gone.
                self._tell(describe_failure(refused))
        except MemoryError:
            self._remove_unfinished(job)
            remedy = say("Use fewer or smaller pictures.")
            short = StudioError(say("There is not enough memory."), remedy=remedy, code="no_memory")
            self._tell(describe_failure(short))

    def _forecast(self, job: Job) -> None:
        found = forecast(
            _name_data(job),
            recipe=job["recipe"],
            seed=job["seed"],
            split="group" if job["by_group"] else None,
            listener=self,
        )
        self._tell({"event": "end", **to_json(found)})

    def _train(self, job: Job) -> None:
        by_group = job["by_group"]
        result = train(
            _name_data(job),
            recipe=job["recipe"],
            epochs=job["epochs"],
            seed=job["seed"],
            budget=job["budget"],
            language=job["language"],
            split="group" if by_group else None,
            out=job["out"],
            verbose=0,
            listener=self,
            command=job["command"],
        )
        self._tell({"event": "end", "run": result.run_folder.name})

    def on_reading(self, read: int, total: int) -> None:
        if read % 100 == 0 or read == total:
            self._tell_unless_cancelled({"event": "reading", "read": read, "total": total})

    def on_data(self, summary: DataSummary, sheet: Path) -> None:  # noqa: ARG002
        counts = {"train": summary.train, "validation": summary.validation, "test": summary.test}
        self._tell_unless_cancelled({"event": "data", **counts})

    def on_model(self, summary: ModelSummary) -> None:
        self._tell_unless_cancelled({"event": "model", "parameters": summary.parameters})

    def on_flip_trial(self, trial: FlipTrial) -> None:
        self._tell_unless_cancelled({"event": "flips", "is_harmless": trial.is_harmless})

    def on_work(self, sentence: str) -> None:
        self._tell_unless_cancelled({"event": "work", "sentence": sentence})

    def on_train_begin(self, epochs: int) -> None:
        self._tell_unless_cancelled({"event": "begin", "epochs": epochs})

    def on_compiled(self) -> None:
        self._tell_unless_cancelled({"event": "compiled"})

    def on_epoch_end(self, epoch: int, metrics: dict[str, float]) -> None:
        message = {"event": "epoch", "epoch": epoch, "metrics": to_json(metrics)}
        self._tell_unless_cancelled(message)

    def on_phase(self, name: str, steps: int) -> None:  # noqa: ARG002
        self._tell_unless_cancelled({"event": "phase", "steps": steps})

    def on_step(self) -> None:
        self._tell_unless_cancelled({"event": "step"})

    def _remove_unfinished(self, job: Job) -> None:
        if "out" in job:
            shutil.rmtree(bundle.unfinished_place(Path(job["out"])), ignore_errors=True)

    def _tell(self, message: JsonObject) -> None:
        self._pipe.send_bytes(json.dumps(message).encode())

    def _tell_unless_cancelled(self, message: JsonObject) -> None:
        self._tell(message)
        if self._pipe.poll():
            self._pipe.recv_bytes()
            raise _CancelledError


def _name_data(job: Job) -> DataSpec:
    return DataSpec(job["folder"], groups_from_name=GROUPS if job["by_group"] else None)
