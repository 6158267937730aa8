"""Many trainings at once, in threads or as joblib is configured, and how they are stopped."""

import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import joblib
from joblib.parallel import get_active_backend

from clearcnn.workflows.fitting.listeners import TrainListener

T = TypeVar("T")

_TASKS_AT_ONCE = 4


class TrainingStoppedError(Exception):
    """A training was stopped; its result is not used. Never leaves this package."""


class StoppableTraining(TrainListener):
    """Ends trainings in other threads after their current epoch.

    A copy that was sent to another process does nothing there: joblib ends that process.
    """

    def __init__(self) -> None:
        self._is_stopped = False
        self._running = 0
        self._changed = threading.Condition()

    def __reduce__(self) -> tuple[type["StoppableTraining"], tuple[()]]:
        return StoppableTraining, ()

    def on_epoch_end(self, epoch: int, metrics: dict[str, float]) -> None:  # noqa: ARG002
        """End the training if it was asked for."""
        if self._is_stopped:
            raise KeyboardInterrupt

    @contextmanager
    def running(self) -> Iterator[None]:
        """Mark a training as running; `stop` waits for its end.

        Raises:
          TrainingStoppedError: the trainings were stopped before this one began.
        """
        with self._changed:
            if self._is_stopped:
                raise TrainingStoppedError
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def stop(self) -> None:
        """End the trainings, and wait for those that run.

        At the end of the process, a thread inside a compiled program would abort it.
        """
        self._is_stopped = True
        with self._changed:
            self._changed.wait_for(lambda: not self._running)


def train_in_parallel(
    tasks: Sequence[Callable[..., T]], on_outcome: Callable[[int, T], None]
) -> None:
    """Train, and after an exception, such as Ctrl-C, stop the trainings that run.

    Args:
      tasks: trainings that take a `listener`; as for `run_in_parallel`.
      on_outcome: called with position and outcome of each as they finish. An exception that it
        raises stops the trainings too.
    Raises:
      KeyboardInterrupt: Ctrl-C, also if it ended a training in this thread.
    """
    watch = StoppableTraining()
    try:
        stoppable = [partial(_train, task, watch) for task in tasks]
        for position, outcome in run_in_parallel(stoppable):
            on_outcome(position, outcome)
    except TrainingStoppedError as error:
        # On one core, joblib trains in the main thread, where Ctrl-C ends the training first.
        raise KeyboardInterrupt from error
    except BaseException:
        watch.stop()
        raise


def run_in_parallel(tasks: Iterable[Callable[[], T]]) -> Iterator[tuple[int, T]]:
    """Run functions in threads, one for each core, or as `joblib.parallel_config` says.

    Args:
      tasks: functions without arguments; picklable if joblib is set to use other processes or a
        cluster.
    Yields:
      (position, result) as they finish.
    """
    waiting = [joblib.delayed(_run)(number, task) for number, task in enumerate(tasks)]
    workers = joblib.effective_n_jobs(None)
    options = {"n_jobs": None if workers > 1 else joblib.cpu_count(), "prefer": "threads"}
    if not get_active_backend(prefer="threads")[0].supports_return_generator:
        # Ray gives results only when all have ended, so it is given a few at a time; without the
        # context, its workers would start, and import JAX, again for each few.
        at_once = _TASKS_AT_ONCE * workers
        with joblib.Parallel(**options) as parallel:
            for start in range(0, len(waiting), at_once):
                yield from parallel(waiting[start : start + at_once])
        return
    results = joblib.Parallel(**options, return_as="generator_unordered")(waiting)
    with warnings.catch_warnings():
        # An interruption is meant to cancel them.
        warnings.filterwarnings("ignore", ".*tasks which were still being processed")
        yield from results


def _train(task: Callable[..., T], watch: StoppableTraining) -> T:
    with watch.running():
        return task(listener=watch)


def _run(number: int, task: Callable[[], T]) -> tuple[int, T]:
    return number, task()
