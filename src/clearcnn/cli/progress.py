"""What `train` prints while it works: the data, the model, and each epoch."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from rich.console import RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress_bar import ProgressBar
from rich.text import Text

from clearcnn.cli.console import Console, Line
from clearcnn.cli.epoch_pace import EpochPace
from clearcnn.cli.exit_codes import ReaderGoneError, StdoutError
from clearcnn.cli.model_table import view_model
from clearcnn.cli.reading_view import ReadingView
from clearcnn.cli.result_tables import view_data
from clearcnn.language import Language, join, say
from clearcnn.report.number_format import flip_sentence, percent
from clearcnn.results.train import DataSummary, FlipTrial, History, ModelSummary
from clearcnn.text import printable
from clearcnn.workflows.fitting.repro_command import suggest_resume
from clearcnn.workflows.train.train import TrainListener

PLAIN_LINES = 10
MOST_SECONDS_SILENT = 30.0
WIDEST_BAR = 40


class WarningsOnly(TrainListener):
    """Shows only warnings, for `--quiet`."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.unfinished: Path | None = None
        self.is_over = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def on_warning(self, sentence: str) -> None:
        """Show a warning, above the bar if there is one."""
        with self._ignoring_lost_output():
            self.console.warn(sentence)

    def on_train_end(self, history: History, interrupted: bool) -> None:  # noqa: ARG002
        """From now on, a failing stdout must not end the program: the run is saved first."""
        self.is_over = True

    def on_late_interrupt(self) -> None:
        """Say that the run is still being saved."""
        with self._ignoring_lost_output():
            self.console.print(
                say("\n  training is complete; saving … (Ctrl-C again discards the run)")
            )

    @contextmanager
    def _ignoring_lost_output(self) -> Iterator[None]:
        """Once training is over, ignore that stdout can no longer be written."""
        try:
            yield
        except (ReaderGoneError, StdoutError, RuntimeError):
            if not self.is_over:
                raise

    def on_checkpoint(self, folder: Path) -> None:
        """Remember the folder from which a stopped training can be resumed."""
        self.unfinished = folder


class TrainDisplay(WarningsOnly):
    """Shows a training on a console: a live bar in a terminal, an occasional line elsewhere."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.epochs = 0
        self.progress: Progress | None = None
        self.task = TaskID(0)
        self.said_at = 0.0
        self.reading = ReadingView(console)
        self.compiling_since = 0.0
        self.pace = EpochPace()

    def __exit__(self, *error: object) -> None:
        self.reading.close()
        self._end_live()

    def on_reading(self, read: int, total: int) -> None:
        """Show how many images have been read."""
        self.reading.show(read, total)

    def on_data(self, summary: DataSummary, sheet: Path) -> None:
        """Show the data."""
        self.console.show(view_data(summary, sheet))

    def on_model(self, summary: ModelSummary) -> None:
        """Show the model."""
        self.console.show(view_model(summary))

    def on_flip_trial(self, trial: FlipTrial) -> None:
        """Say whether images are mirrored, and why."""
        self.console.print(Line("\n", printable(flip_sentence(trial))))

    def on_work(self, sentence: str) -> None:
        """Say how much a budget allows."""
        self.console.print(Line("\n", sentence))

    def on_train_begin(self, epochs: int) -> None:
        """Say that the program is being compiled, which can take longer than an epoch."""
        self.epochs = epochs
        self.said_at = self.compiling_since = time.monotonic()
        self.console.print(Line("\n", (say("Training"), "bold cyan")))
        if self.console.is_live:
            self.progress = _live_progress(self.console, self.pace)
            self.task = self.progress.add_task("", total=epochs, figures=say("compiling …"))
            self.progress.start()
        else:
            self.console.print(say("  compiling …"))

    def on_compiled(self) -> None:
        """Say that the first epoch runs, which can take minutes on many images."""
        self.pace.begin()
        if self.progress is not None:
            self.progress.update(self.task, figures="")
        else:
            took = time.monotonic() - self.compiling_since
            self.console.print(
                say("  compiled in {took:.1f} s; the first epoch is running …", took=took)
            )

    def on_resume(self, epochs: int) -> None:
        """Say after which epoch training resumes."""
        self.console.print(say("\n  resuming after epoch {epochs}", epochs=epochs))

    def on_checkpoint(self, folder: Path) -> None:
        """Say how to resume if the training is stopped."""
        super().on_checkpoint(folder)
        self.console.print(
            say(
                "  keeping checkpoints in case this stops. {folder}",
                folder=printable(suggest_resume(folder)),
            )
        )

    def on_epoch_end(self, epoch: int, metrics: dict[str, float]) -> None:
        """Advance the bar, or print a line if the last one was some time ago."""
        self.pace.end_epoch(epoch)
        if self.progress is not None:
            self.progress.update(self.task, completed=epoch + 1, figures=_figures(metrics))
        elif self._is_time_for_a_line(epoch):
            self.said_at = time.monotonic()
            width = len(str(self.epochs))
            self.console.print(
                say(
                    "  epoch {epoch} of {epochs} · {metrics}",
                    epoch=str(epoch + 1).rjust(width),
                    epochs=self.epochs,
                    metrics=_figures(metrics),
                )
            )

    def on_train_end(self, history: History, interrupted: bool) -> None:
        """Stop the bar, which keeps its last figures."""
        super().on_train_end(history, interrupted)
        with self._ignoring_lost_output():
            if self.progress is not None:
                self.progress.stop_task(self.task)
            self._end_live()
            if interrupted:
                self.console.print(
                    say(
                        "  stopped after epoch {num_epochs}; saving …",
                        num_epochs=history.num_epochs,
                    )
                )

    def _is_time_for_a_line(self, epoch: int) -> bool:
        tenth = self.epochs / PLAIN_LINES
        return (
            epoch == 0
            or epoch + 1 == self.epochs
            or (epoch + 1) // tenth > epoch // tenth
            or time.monotonic() - self.said_at > MOST_SECONDS_SILENT
        )

    def _end_live(self) -> None:
        if self.progress is not None:
            self.progress.stop()
            self.progress = None


class _TwoLineProgress(Progress):
    """A bar, and below it the figures of the last epoch and what the running one does."""

    def __init__(self, *columns: ProgressColumn, pace: EpochPace, console: Console) -> None:
        self._pace = pace
        super().__init__(*columns, console=console)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield the two lines."""
        yield self.make_tasks_table(self.tasks)
        for task in self.tasks:
            running = "" if task.finished else self._pace.describe()
            yield Line("  ", join(" · ", filter(None, (task.fields["figures"], running))))


class _EpochBar(BarColumn):
    """A bar that moves within an epoch, too, by the time that the last one took."""

    def __init__(self, pace: EpochPace, width: int) -> None:
        super().__init__(width, complete_style="cyan", finished_style="cyan")
        self._pace = pace

    def render(self, task: Task) -> ProgressBar:
        """Return the bar, with the estimated share of the running epoch."""
        bar = super().render(task)
        if not task.finished:
            bar.completed += self._pace.share or 0.0
        return bar


class _TimeLeftColumn(TimeRemainingColumn):
    """The time left."""

    def __init__(self, language: Language) -> None:
        super().__init__(compact=True)
        self._language = language

    def render(self, task: Task) -> Text:
        """Return "" before the first epoch and after the last."""
        known = task.time_remaining is not None and task.stop_time is None
        if not known or task.finished:
            return Text()
        left = say("{time} left", time=super().render(task).plain)
        return Text(self._language.translate(left), style="progress.remaining")


def _live_progress(console: Console, pace: EpochPace) -> Progress:
    counted = say(
        "  epoch {done} of {total}", done="{task.completed:.0f}", total="{task.total:.0f}"
    )
    return _TwoLineProgress(
        TextColumn(console.language.translate(counted)),
        _EpochBar(pace, max(4, min(WIDEST_BAR, console.width - 35))),
        _TimeLeftColumn(console.language),
        pace=pace,
        console=console,
    )


def _figures(metrics: dict[str, float]) -> str:
    figures = [
        say("loss {metrics:.4f}", metrics=metrics["loss"]),
        say("accuracy {metrics} %", metrics=percent(metrics["accuracy"])),
    ]
    if "val_accuracy" in metrics:
        figures.append(say("validation {metrics} %", metrics=percent(metrics["val_accuracy"])))
    return join(" · ", figures)
