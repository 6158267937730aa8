"""Listeners: how a workflow reports its progress."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from clearcnn.results.record import load_room
from clearcnn.results.train import DataSummary, FlipTrial, History, ModelSummary

Verbose = int | Literal["auto"]
"""0 shows nothing, 1 and 2 show progress anywhere, "auto" in notebooks and interactive Pythons."""


class ReadingListener:
    """Progress of reading images; override the method, which does nothing here."""

    def on_reading(self, read: int, total: int) -> None:
        """Of `total` image files, `read` have been read."""


class TrainListener(ReadingListener):
    """Progress of a training; override the methods of interest, which do nothing here."""

    def on_data(self, summary: DataSummary, sheet: Path) -> None:
        """The data has been read and split; sample images will be written to `sheet`."""

    def on_model(self, summary: ModelSummary) -> None:
        """The model has been planned, layer by layer."""

    def on_flip_trial(self, trial: FlipTrial) -> None:
        """A trial has decided whether training images are mirrored."""

    def on_work(self, sentence: str) -> None:
        """With a budget: how much is to do, and about how long it takes."""

    def on_warning(self, sentence: str) -> None:
        """A warning for the user."""

    def on_train_begin(self, epochs: int) -> None:
        """Keras is loaded; next, the program for at most `epochs` epochs is compiled."""

    def on_compiled(self) -> None:
        """The program is compiled; the first epoch begins."""

    def on_epoch_end(self, epoch: int, metrics: dict[str, float]) -> None:
        """An epoch, counted from 0, has ended; metrics by Keras's names."""

    def on_resume(self, epochs: int) -> None:
        """The training resumes after `epochs` epochs, which are not reported again."""

    def on_checkpoint(self, folder: Path) -> None:
        """From now on, a stopped training can be resumed from this folder."""

    def on_train_end(self, history: History, interrupted: bool) -> None:
        """Training has ended."""

    def on_late_interrupt(self) -> None:
        """Ctrl-C after the end of training: the run is written anyway, unless it is pressed again.

        Called in the signal handler, between any two steps of the program.
        """


class EvaluateListener(ReadingListener):
    """Progress of an evaluation; override the methods of interest, which do nothing here."""

    def on_finding(self, sentence: str) -> None:
        """Something is known already, before the trainings end."""

    def on_work(self, sentence: str) -> None:
        """How much is to do, and about how long it takes."""

    def on_phase(self, name: str, steps: int) -> None:
        """A phase of `steps` steps begins."""

    def on_step(self) -> None:
        """A step, such as one training, has ended."""


@contextmanager
def watch_training(listener: TrainListener | None, verbose: Verbose) -> Iterator[TrainListener]:
    """Give the listener of a training: the caller's own, or what `verbose` asks for.

    Raises:
      SpecError: `verbose` is not valid.
    """
    shows = load_room("environment").shows_progress(verbose)
    if listener is not None or not shows:
        yield listener or TrainListener()
        return
    with load_room("live").open_training() as display:
        yield display


@contextmanager
def watch_evaluation(
    listener: EvaluateListener | None, verbose: Verbose
) -> Iterator[EvaluateListener]:
    """Give the listener of an evaluation: the caller's own, or what `verbose` asks for.

    Raises:
      SpecError: `verbose` is not valid.
    """
    shows = load_room("environment").shows_progress(verbose)
    if listener is not None or not shows:
        yield listener or EvaluateListener()
        return
    with load_room("live").open_evaluation() as display:
        yield display
