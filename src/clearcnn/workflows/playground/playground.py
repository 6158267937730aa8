"""Changed models, trained beside the server: one warm process, which can be stopped.

A model that is only looked at is prepared: built and compiled ahead, so that its training need not
wait. Whoever asks for a training goes first, and of what is to be prepared only the latest counts.
"""

import json
import multiprocessing
import tempfile
import threading
import time
import weakref
from collections import deque
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from clearcnn import atomic_write
from clearcnn.errors import SpecError, TrainingError
from clearcnn.results.train import to_json
from clearcnn.specs import DataSpec, ModelSpec
from clearcnn.workflows.playground.worker import describe_failure, work
from clearcnn.workflows.runs.run_version import RunVersion
from clearcnn.workflows.runs.save_onnx import MODEL

MOST_EPOCHS = 200
MOST_WAITING = 4
_MOST_KEPT = 24
_ROOM = "clearcnn-playground-"
_PATIENCE_SECONDS = 2.0
_MOST_SECONDS = 600.0
_LAST_EVENTS = ("end", "error", "cancelled")

_CANCELLED = {"event": "cancelled"}
_ENDED = describe_failure(
    TrainingError(
        "The process that trains has ended unexpectedly.",
        remedy="Press train again.",
        code="process_ended",
    )
)
_TOO_LONG = describe_failure(
    TrainingError(
        f"The training took longer than {_MOST_SECONDS:.0f} seconds and was stopped.",
        remedy="Give fewer epochs or a smaller model.",
        code="took_too_long",
        values={"seconds": round(_MOST_SECONDS)},
    )
)


@dataclass(eq=False)
class Attempt:
    """A training that was asked for.

    Attributes:
      number: counts from 1.
      run: the run whose images it takes.
      folder: where its ONNX files and weights will be.
      against: another attempt to compare its answers with; None compares with the run's model.
      events: what happened so far, in order, as JSON values; only ever appended to.
    """

    number: int
    run: RunVersion
    model: ModelSpec
    epochs: int
    folder: Path
    against: "Attempt | None" = None
    events: list[dict[str, Any]] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen any more."""
        return bool(self.events) and self.events[-1]["event"] in _LAST_EVENTS


class Playground:
    """Trains one attempt after another, in the order in which they were asked for.

    Close it to end its process and remove its files; those of a server that was killed are
    removed by the next one. A folder for them is made when they are first needed.

    Args:
      named: where the images of the runs are, as for `read_run_data`.
    """

    def __init__(self, named: DataSpec | None = None) -> None:
        self._named = named
        self._stack = ExitStack()
        self._room: Path | None = None
        # Also where nobody closes it before Python ends.
        self._clear_away = weakref.finalize(self, self._stack.close)
        with suppress(OSError):
            atomic_write.remove_abandoned(Path(tempfile.gettempdir()), _ROOM)
        self._news = threading.Condition()
        self._waiting: deque[Attempt] = deque()
        self._wish: dict[str, Any] | None = None
        self._closing = False
        self._attempts: dict[int, Attempt] = {}
        self._count = 0
        self._lock = threading.Lock()
        self._process: Any = None
        self._pipe: Connection | None = None
        self._foreman = threading.Thread(target=self._lead, daemon=True)
        self._foreman.start()

    def prepare(self, run: RunVersion, model: ModelSpec, epochs: int) -> None:
        """Have a training built and compiled, in place of what was to be prepared before.

        Args:
          run, model, epochs: as for `begin`.
        Raises:
          SpecError: epochs is out of range.
        """
        _check_epochs(epochs)
        with self._news:
            self._wish = _describe(run, model, epochs)
            self._news.notify()

    def begin(
        self, run: RunVersion, model: ModelSpec, epochs: int, against: Attempt | None = None
    ) -> Attempt:
        """Ask for a training.

        Args:
          run: whose images it takes, as the server has loaded it.
          model: which can be on its images.
          epochs: 1 to `MOST_EPOCHS`.
          against: an attempt to compare with, in place of the run's own model.
        Raises:
          SpecError: epochs is out of range.
          TrainingError: too many are waiting, or there is no room for temporary files.
        """
        _check_epochs(epochs)
        with self._news:
            if len(self._waiting) >= MOST_WAITING:
                raise TrainingError(
                    f"{MOST_WAITING} trainings are waiting already.",
                    remedy="Try again when one of them is done.",
                    code="too_many_waiting",
                    values={"most": MOST_WAITING},
                )
            self._count += 1
            number = self._count
            folder = self._find_room() / str(number)
            attempt = Attempt(number, run, model, epochs, folder, against)
            self._attempts[number] = attempt
            self._waiting.append(attempt)
            self._forget_oldest()
            self._news.notify()
        return attempt

    def find(self, number: int) -> Attempt | None:
        """Give the attempt of that number, if it is still known."""
        return self._attempts.get(number)

    def cancel(self, attempt: Attempt) -> None:
        """Have an attempt end soon; one that waits gives its place up at once."""
        with self._news:
            attempt.cancelled.set()
            if attempt in self._waiting:
                self._waiting.remove(attempt)
                attempt.events.append(_CANCELLED)

    def close(self) -> None:
        """End the process, and remove every file."""
        with self._news:
            self._closing = True
            for attempt in self._attempts.values():
                attempt.cancelled.set()
            self._news.notify()
        with self._lock:
            # The foreman, who reads from it, closes the pipe.
            if self._process is not None:
                self._process.kill()
        self._foreman.join(timeout=_PATIENCE_SECONDS + 1)
        self._stop()
        self._clear_away()

    def _find_room(self) -> Path:
        if self._room is None:
            try:
                parent = Path(tempfile.gettempdir())
                name = f"{time.time_ns():x}"
                room = atomic_write.open_draft(parent, name, prefix=_ROOM, mode=0o700)
                self._room = self._stack.enter_context(room)
            except OSError as error:
                raise TrainingError(
                    f"The playground cannot make its folder: {error.strerror or error}.",
                    remedy="Make room, or set TMPDIR to another folder.",
                    code="no_room",
                    values={"reason": error.strerror or str(error)},
                ) from error
        return self._room

    def _lead(self) -> None:
        while (task := self._next()) is not None:
            try:
                if isinstance(task, Attempt):
                    self._have_trained(task)
                else:
                    self._have_prepared(task)
            except (EOFError, OSError):
                self._stop()
                if isinstance(task, Attempt):
                    task.events.append(_CANCELLED if task.cancelled.is_set() else _ENDED)

    def _next(self) -> Attempt | dict[str, Any] | None:
        with self._news:
            self._news.wait_for(lambda: self._closing or self._waiting or self._wish)
            if self._waiting:
                return self._waiting.popleft()
            wish, self._wish = self._wish, None
            return None if self._closing else wish

    def _have_prepared(self, wish: dict[str, Any]) -> None:
        with self._lock:
            pipe = self._start()
        _send(pipe, {"prepare": True, **wish})
        latest = time.monotonic() + _MOST_SECONDS
        while not pipe.poll(0.02):
            if self._hinders(wish):
                latest = min(latest, time.monotonic() + _PATIENCE_SECONDS)
            if time.monotonic() > latest:
                self._stop()
                return
        pipe.recv_bytes()

    def _hinders(self, wish: dict[str, Any]) -> bool:
        """Tell whether somebody waits who does not want what is being prepared."""
        with self._news:
            first = self._waiting[0] if self._waiting else None
        return first is not None and _describe(first.run, first.model, first.epochs) != wish

    def _have_trained(self, attempt: Attempt) -> None:
        if attempt.cancelled.is_set():
            attempt.events.append(_CANCELLED)
            return
        with self._lock:
            pipe = self._start()
        job = {
            **_describe(attempt.run, attempt.model, attempt.epochs),
            "out": str(attempt.folder),
            "against": str(attempt.against.folder / MODEL) if attempt.against else None,
        }
        _send(pipe, job)
        latest, asked = time.monotonic() + _MOST_SECONDS, False
        while not attempt.is_over:
            if pipe.poll(0.05):
                attempt.events.append(json.loads(pipe.recv_bytes()))
            elif attempt.cancelled.is_set() and not asked:
                _send(pipe, {"cancel": True})
                latest, asked = time.monotonic() + _PATIENCE_SECONDS, True
            elif time.monotonic() > latest:
                # While a program is compiled, nobody listens.
                self._stop()
                attempt.events.append(_CANCELLED if asked else _TOO_LONG)
                with self._lock:
                    self._start()

    def _start(self) -> Connection:
        if self._process is None or not self._process.is_alive():
            context = multiprocessing.get_context("spawn")
            self._pipe, theirs = context.Pipe()
            self._process = context.Process(target=work, args=(theirs, self._named), daemon=True)
            self._process.start()
            theirs.close()
        assert self._pipe is not None
        return self._pipe

    def _stop(self) -> None:
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.join()
                self._process = None
            if self._pipe is not None:
                self._pipe.close()
                self._pipe = None

    def _forget_oldest(self) -> None:
        """Keep no more than _MOST_KEPT, but for those that go on and what they compare with."""
        going_on = [attempt for attempt in self._attempts.values() if not attempt.is_over]
        needed = {*going_on, *(attempt.against for attempt in going_on)}
        spare = [attempt for attempt in self._attempts.values() if attempt not in needed]
        for attempt in spare[: max(0, len(self._attempts) - _MOST_KEPT)]:
            del self._attempts[attempt.number]
            for path in attempt.folder.glob("*.onnx"):
                path.unlink()


def _check_epochs(epochs: int) -> None:
    if not 1 <= epochs <= MOST_EPOCHS:
        raise SpecError(
            f"epochs={epochs} is out of range: 1 to {MOST_EPOCHS} in the playground.",
            remedy="For longer trainings use clearcnn train.",
            code="epochs_range",
            values={"epochs": epochs, "most": MOST_EPOCHS},
        )


def _describe(run: RunVersion, model: ModelSpec, epochs: int) -> dict[str, Any]:
    return {
        "run": str(run.folder),
        "fingerprint": run.fingerprint,
        "model": to_json(model),
        "epochs": epochs,
    }


def _send(pipe: Connection, message: dict[str, Any]) -> None:
    pipe.send_bytes(json.dumps(message).encode())
