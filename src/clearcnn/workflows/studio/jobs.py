"""Jobs beside the server: one process that stays warm, does one job at a time, and can be ended."""

import json
import multiprocessing
import shutil
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from clearcnn import bundle
from clearcnn.errors import StudioError
from clearcnn.language import say
from clearcnn.results.json_codec import describe_failure
from clearcnn.types import JsonObject
from clearcnn.workflows.studio.job_worker import Job, work

_GRACE_SECONDS = 2.0
# A measurement gives way to what is asked for; what it has compiled is used again.
_MEASUREMENT_GRACE_SECONDS = 20.0
_LAST_EVENTS = ("end", "error", "cancelled")
_ENDED = describe_failure(
    StudioError(
        say("The process that trains and checks ended unexpectedly."),
        remedy=say("Start again; if it repeats, close other programs to free memory."),
        code="process_ended",
    )
)


@dataclass(eq=False)
class RunningJob:
    """A job and what happened so far.

    Attributes:
      number: counts from 1.
      events: in order, each with the `seconds` since the job began; append-only.
    """

    number: int
    job: Job
    events: list[JsonObject] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    began: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        """Whether no more events will follow."""
        return bool(self.events) and self.events[-1]["event"] in _LAST_EVENTS

    def tell(self, event: JsonObject) -> None:
        """Append an event."""
        self.events.append({**event, "seconds": round(time.monotonic() - self.began, 3)})


class Jobs:
    """Does one job at a time in a process that is started by the first, and stays.

    Close it to end the process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # Held while a measurement is ended too, so that no other one begins in between.
        self._beginning = threading.Lock()
        self._count = 0
        self._current: RunningJob | None = None
        self._latest: RunningJob | None = None
        self._measurement: RunningJob | None = None
        self._thread: threading.Thread | None = None
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    @property
    def latest(self) -> RunningJob | None:
        """The job that is running, or else the one that ran last; measurements are left out."""
        return self._latest

    @property
    def measurement(self) -> RunningJob | None:
        """The measurement that is running, or else the last one."""
        return self._measurement

    def warm_up(self) -> None:
        """Start the process, so that the first job need not wait for it."""
        with self._lock:
            self._start_process()

    def begin(self, job: Job) -> RunningJob:
        """Begin a job.

        Raises:
          StudioError: another one is running, which is no measurement.
        """
        with self._beginning:
            self._end_measurement()
            with self._lock:
                if self._current is not None and not self._current.is_over:
                    raise StudioError(
                        say("The studio is already training or checking."),
                        remedy=say("Wait for it, or cancel it."),
                        code="busy",
                    )
                pipe = self._start_process()
                self._count += 1
                self._current = current = RunningJob(self._count, job)
                if job["kind"] == "pace":
                    self._measurement = current
                else:
                    self._latest = current
                self._thread = threading.Thread(
                    target=self._follow, args=(current, pipe), daemon=True
                )
                self._thread.start()
            return current

    def cancel(self) -> None:
        """Cancel the running job, if there is one: within seconds, even while it compiles."""
        if self._current is not None:
            self._current.cancelled.set()

    def _end_measurement(self) -> None:
        current, thread = self._current, self._thread
        if current is not None and current.job["kind"] == "pace" and thread is not None:
            current.cancelled.set()
            thread.join()

    def close(self) -> None:
        """End the process."""
        self.cancel()
        self._stop_process()
        if self._thread is not None:
            self._thread.join(timeout=_GRACE_SECONDS)

    def _follow(self, current: RunningJob, pipe: Connection) -> None:
        try:
            self._send(pipe, current.job)
            deadline = None
            while not current.is_over:
                # First, since quick epochs leave no pause between their messages.
                if deadline is None and current.cancelled.is_set():
                    self._send(pipe, {"cancel": True})
                    is_pace = current.job["kind"] == "pace"
                    grace = _MEASUREMENT_GRACE_SECONDS if is_pace else _GRACE_SECONDS
                    deadline = time.monotonic() + grace
                if pipe.poll(0.05):
                    current.tell(json.loads(pipe.recv_bytes()))
                elif deadline is not None and time.monotonic() > deadline:
                    raise EOFError
        except (EOFError, OSError):
            self._stop_process(pipe)
            if "out" in current.job:
                place = bundle.unfinished_place(Path(current.job["out"]))
                shutil.rmtree(place, ignore_errors=True)
            was_cancelled = current.cancelled.is_set()
            current.tell({"event": "cancelled"} if was_cancelled else _ENDED)

    def _send(self, pipe: Connection, message: object) -> None:
        pipe.send_bytes(json.dumps(message).encode())

    def _start_process(self) -> Connection:
        if self._process is None or not self._process.is_alive():
            context = multiprocessing.get_context("spawn")
            self._pipe, worker_end = context.Pipe()
            self._process = context.Process(target=work, args=(worker_end,), daemon=True)
            self._process.start()
            worker_end.close()
        assert self._pipe is not None
        return self._pipe

    def _stop_process(self, pipe: Connection | None = None) -> None:
        """End the process; only the one behind `pipe`, if that is given."""
        with self._lock:
            if pipe is not None and pipe is not self._pipe:
                return
            process, self._process = self._process, None
            own, self._pipe = self._pipe, None
            if process is not None:
                process.kill()
                process.join()
            if own is not None:
                with suppress(OSError):
                    own.close()
