"""The playground: trains changed models in one process beside the server, with cancellation.

The model that a user is editing is prepared: built and compiled ahead of its training. Trainings
have priority over preparation, and only the latest model is prepared.
"""

import json
import multiprocessing
import shutil
import tempfile
import threading
import time
import weakref
from collections import deque
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from clearcnn import atomic_write
from clearcnn.errors import SpecError, TrainingError
from clearcnn.language import say
from clearcnn.results.json_codec import describe_failure, to_json
from clearcnn.specs import DataSpec, ModelSpec
from clearcnn.types import JsonObject
from clearcnn.workflows.playground.worker import work
from clearcnn.workflows.runs.run_version import RunVersion
from clearcnn.workflows.runs.save_onnx import MODEL

MOST_EPOCHS = 200
MOST_WAITING = 4
_MOST_KEPT = 24
_PREFIX = "clearcnn-playground-"
_GRACE_SECONDS = 2.0
_TIMEOUT_SECONDS = 600.0
_LAST_EVENTS = ("end", "error", "cancelled")

_CANCELLED: JsonObject = {"event": "cancelled"}
_ENDED = describe_failure(
    TrainingError(
        say("The training process ended unexpectedly."),
        remedy=say("Start the training again."),
        code="process_ended",
    )
)
_TOO_LONG = describe_failure(
    TrainingError(
        say(
            "The training took longer than {timeout_seconds:.0f} seconds and was stopped.",
            timeout_seconds=_TIMEOUT_SECONDS,
        ),
        remedy=say("Use fewer epochs or a smaller model."),
        code="took_too_long",
        values={"seconds": round(_TIMEOUT_SECONDS)},
    )
)


@dataclass(eq=False)
class Attempt:
    """A requested training.

    Attributes:
      number: counts from 1.
      run: the run whose images are used.
      folder: where its ONNX files and weights are written.
      against: another attempt to compare with; None compares with the run's model.
      events: events so far, in order, as JSON values; append-only.
    """

    number: int
    run: RunVersion
    model: ModelSpec
    epochs: int
    folder: Path
    against: "Attempt | None" = None
    events: list[JsonObject] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Whether no more events will follow."""
        return bool(self.events) and self.events[-1]["event"] in _LAST_EVENTS


class Playground:
    """Trains attempts one after another, in the order of the requests.

    Close it to end its process and remove its temporary files; those of a killed server are removed
    by the next one.

    Args:
      named: the source of the runs' images, as for `read_run_data`.
    """

    def __init__(self, named: DataSpec | None = None) -> None:
        self._named = named
        self._stack = ExitStack()
        self._folder: Path | None = None
        # Also runs at exit if `close` was not called.
        self._remove_files = weakref.finalize(self, self._stack.close)
        with suppress(OSError):
            atomic_write.remove_abandoned(Path(tempfile.gettempdir()), _PREFIX)
        self._changed = threading.Condition()
        self._waiting: deque[Attempt] = deque()
        self._to_prepare: JsonObject | None = None
        self._task: Attempt | JsonObject | None = None
        self._is_warm = False
        self._closing = False
        self._attempts: dict[int, Attempt] = {}
        self._count = 0
        self._lock = threading.Lock()
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._thread = threading.Thread(target=self._run_tasks, daemon=True)
        self._thread.start()

    def prepare(self, run: RunVersion, model: ModelSpec, epochs: int) -> None:
        """Build and compile a model ahead of its training, in place of any other.

        Args:
          run, model, epochs: as for `begin`.
        Raises:
          SpecError: epochs is out of range.
        """
        _check_epochs(epochs)
        with self._changed:
            self._to_prepare = _describe(run, model, epochs)
            self._changed.notify()

    def begin(
        self, run: RunVersion, model: ModelSpec, epochs: int, against: Attempt | None = None
    ) -> Attempt:
        """Request a training.

        Args:
          run: the run whose images are used, as the server has loaded it.
          model: a valid model for its images.
          epochs: 1 to `MOST_EPOCHS`.
          against: an attempt to compare with; None compares with the run's model.
        Raises:
          SpecError: epochs is out of range.
          TrainingError: too many attempts are waiting, or temporary files cannot be written.
        """
        _check_epochs(epochs)
        with self._changed:
            if len(self._waiting) >= MOST_WAITING:
                raise TrainingError(
                    say("{most_waiting} trainings are already waiting.", most_waiting=MOST_WAITING),
                    remedy=say("Try again when one of them has finished."),
                    code="too_many_waiting",
                    values={"most": MOST_WAITING},
                )
            self._count += 1
            number = self._count
            folder = self._open_folder() / str(number)
            attempt = Attempt(number, run, model, epochs, folder, against)
            self._attempts[number] = attempt
            self._waiting.append(attempt)
            self._forget_oldest()
            self._changed.notify()
        return attempt

    def find(self, number: int) -> Attempt | None:
        """Return the attempt with this number, or None if it is unknown or forgotten."""
        return self._attempts.get(number)

    def find_wait(self, attempt: Attempt) -> JsonObject | None:
        """Tell what an attempt that has no events yet waits for.

        Returns:
          An event "waiting", which is not kept. Its "for" is "trainings", with the number "ahead";
          "process", which is starting; "compiling", of its model; "preparation", of another one;
          or "images", which are being read. None if the attempt has events.
        """
        with self._changed:
            if attempt.events:
                return None
            is_queued = attempt in self._waiting
            task = self._task
            is_training = isinstance(task, Attempt) and not task.is_over
            ahead = self._waiting.index(attempt) + is_training if is_queued else 0
        if ahead:
            return {"event": "waiting", "for": "trainings", "ahead": ahead}
        if not self._is_warm:
            return {"event": "waiting", "for": "process"}
        if is_queued and isinstance(task, dict):
            is_own = task == _describe(attempt.run, attempt.model, attempt.epochs)
            return {"event": "waiting", "for": "compiling" if is_own else "preparation"}
        return {"event": "waiting", "for": "images"}

    def cancel(self, attempt: Attempt) -> None:
        """Cancel an attempt: immediately if it is waiting, within seconds if it is training."""
        with self._changed:
            attempt.cancelled.set()
            if attempt in self._waiting:
                self._waiting.remove(attempt)
                attempt.events.append(_CANCELLED)

    def close(self) -> None:
        """End the process and remove all files."""
        with self._changed:
            self._closing = True
            for attempt in self._attempts.values():
                attempt.cancelled.set()
            self._changed.notify()
        with self._lock:
            # The thread, which reads from the pipe, closes it.
            if self._process is not None:
                self._process.kill()
        self._thread.join(timeout=_GRACE_SECONDS + 1)
        self._stop_worker()
        self._remove_files()

    def _open_folder(self) -> Path:
        """Return the folder for temporary files, made on the first call."""
        if self._folder is None:
            try:
                parent = Path(tempfile.gettempdir())
                name = f"{time.time_ns():x}"
                draft = atomic_write.open_draft(parent, name, prefix=_PREFIX, mode=0o700)
                self._folder = self._stack.enter_context(draft)
            except OSError as error:
                raise TrainingError(
                    say(
                        "The playground cannot create a temporary folder: {reason}.",
                        reason=error.strerror or error,
                    ),
                    remedy=say("Free disk space, or set TMPDIR to another folder."),
                    code="no_room",
                    values={"reason": error.strerror or str(error)},
                ) from error
        return self._folder

    def _run_tasks(self) -> None:
        while (task := self._take_task()) is not None:
            try:
                if isinstance(task, Attempt):
                    self._train_in_worker(task)
                else:
                    self._prepare_in_worker(task)
            except (EOFError, OSError):
                self._stop_worker()
                if isinstance(task, Attempt):
                    task.events.append(_CANCELLED if task.cancelled.is_set() else _ENDED)

    def _take_task(self) -> Attempt | JsonObject | None:
        with self._changed:
            self._task = None
            self._changed.wait_for(lambda: self._closing or self._waiting or self._to_prepare)
            if self._waiting:
                self._task = self._waiting.popleft()
            else:
                preparation, self._to_prepare = self._to_prepare, None
                self._task = None if self._closing else preparation
            return self._task

    def _prepare_in_worker(self, preparation: JsonObject) -> None:
        with self._lock:
            pipe = self._start_worker()
        _send(pipe, {"prepare": True, **preparation})
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while True:
            if pipe.poll(0.02):
                if self._receive(pipe) is not None:
                    return
            elif self._delays_another(preparation):
                deadline = min(deadline, time.monotonic() + _GRACE_SECONDS)
            if time.monotonic() > deadline:
                self._stop_worker()
                return

    def _receive(self, pipe: Connection) -> JsonObject | None:
        """Return the worker's next message, or None if it only says that it is ready."""
        message: JsonObject = json.loads(pipe.recv_bytes())
        self._is_warm = True
        return None if message["event"] == "ready" else message

    def _delays_another(self, preparation: JsonObject) -> bool:
        """Return whether the next attempt waits for the preparation of another model."""
        with self._changed:
            first = self._waiting[0] if self._waiting else None
        return first is not None and _describe(first.run, first.model, first.epochs) != preparation

    def _train_in_worker(self, attempt: Attempt) -> None:
        if attempt.cancelled.is_set():
            attempt.events.append(_CANCELLED)
            return
        with self._lock:
            pipe = self._start_worker()
        job = {
            **_describe(attempt.run, attempt.model, attempt.epochs),
            "out": str(attempt.folder),
            "against": str(attempt.against.folder / MODEL) if attempt.against else None,
        }
        _send(pipe, job)
        deadline, is_cancelling = time.monotonic() + _TIMEOUT_SECONDS, False
        while not attempt.is_over:
            # First, since quick epochs leave no pause between their messages.
            if attempt.cancelled.is_set() and not is_cancelling:
                _send(pipe, {"cancel": True})
                deadline, is_cancelling = time.monotonic() + _GRACE_SECONDS, True
            if pipe.poll(0.05):
                if (message := self._receive(pipe)) is not None:
                    attempt.events.append(message)
            elif time.monotonic() > deadline:
                # The worker does not react to a cancellation while it compiles.
                self._stop_worker()
                attempt.events.append(_CANCELLED if is_cancelling else _TOO_LONG)
                with self._lock:
                    self._start_worker()

    def _start_worker(self) -> Connection:
        if self._process is None or not self._process.is_alive():
            context = multiprocessing.get_context("spawn")
            self._pipe, worker_end = context.Pipe()
            self._process = context.Process(
                target=work, args=(worker_end, self._named), daemon=True
            )
            self._is_warm = False
            self._process.start()
            worker_end.close()
        assert self._pipe is not None
        return self._pipe

    def _stop_worker(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.join()
                self._process = None
            if self._pipe is not None:
                self._pipe.close()
                self._pipe = None

    def _forget_oldest(self) -> None:
        """Keep at most _MOST_KEPT attempts, and all unfinished ones with what they compare with."""
        unfinished = [attempt for attempt in self._attempts.values() if not attempt.is_over]
        needed = {*unfinished, *(attempt.against for attempt in unfinished)}
        spare = [attempt for attempt in self._attempts.values() if attempt not in needed]
        for attempt in spare[: max(0, len(self._attempts) - _MOST_KEPT)]:
            del self._attempts[attempt.number]
            shutil.rmtree(attempt.folder, ignore_errors=True)


def _check_epochs(epochs: int) -> None:
    if not 1 <= epochs <= MOST_EPOCHS:
        raise SpecError(
            say(
                "epochs={epochs} is out of range: 1 to {most_epochs} in the playground.",
                epochs=epochs,
                most_epochs=MOST_EPOCHS,
            ),
            remedy=say("Use clearcnn train for longer trainings."),
            code="epochs_range",
            values={"epochs": epochs, "most": MOST_EPOCHS},
        )


def _describe(run: RunVersion, model: ModelSpec, epochs: int) -> JsonObject:
    return {
        "run": str(run.folder),
        "fingerprint": run.fingerprint,
        "model": to_json(model),
        "epochs": epochs,
    }


def _send(pipe: Connection, message: JsonObject) -> None:
    pipe.send_bytes(json.dumps(message).encode())
