"""A training below a notebook's cell: the epochs as a table and a growing curve, the time left."""

import time
from pathlib import Path

from clearcnn.language import join, say, say_count
from clearcnn.notebook.cell_output import CellOutput, say_duration
from clearcnn.report.notebook_views import view_progress
from clearcnn.report.number_format import share
from clearcnn.report.terms import translate_term
from clearcnn.results.train import DataSummary, History, ModelSummary
from clearcnn.workflows.fitting.listeners import TrainListener

_MOST_ROWS = 8


class TrainingCell(TrainListener):
    """Shows a training as it goes on."""

    def __init__(self) -> None:
        self._output = CellOutput()
        self._facts: list[str] = []
        self._warnings: list[str] = []
        self._epochs: list[dict[str, float]] = []
        self._before = 0
        self._total = 0
        self._began_at = 0.0
        self._state = say("reading the data …")

    def on_data(self, summary: DataSummary, sheet: Path) -> None:  # noqa: ARG002
        """Name the data."""
        self._facts.append(
            say(
                "{source} · {num_classes} · {train:,} train, {validation:,} validation, "
                "{test:,} test",
                source=summary.source,
                num_classes=say_count(
                    "{number:,} class", "{number:,} classes", len(summary.classes)
                ),
                train=summary.train,
                validation=summary.validation,
                test=summary.test,
            )
        )
        self._update()

    def on_model(self, summary: ModelSummary) -> None:
        """Name the model."""
        self._facts.append(
            say(
                "model “{name}”, {parameters}",
                name=summary.name,
                parameters=say_count(
                    "{number:,} parameter", "{number:,} parameters", summary.parameters
                ),
            )
        )
        self._state = say("loading Keras …")
        self._update()

    def on_warning(self, sentence: str) -> None:
        """Show a warning."""
        self._warnings.append(sentence)
        self._update()

    def on_train_begin(self, epochs: int) -> None:
        """Say that the program is being compiled."""
        self._total = epochs
        self._state = say("compiling the program …")
        self._update()

    def on_resume(self, epochs: int) -> None:
        """Remember how many epochs were finished before."""
        self._before = epochs

    def on_compiled(self) -> None:
        """Say that the first epoch runs."""
        self._began_at = time.monotonic()
        self._state = say("epoch {before} of {total} …", before=self._before + 1, total=self._total)
        self._update()

    def on_epoch_end(self, epoch: int, metrics: dict[str, float]) -> None:
        """Add an epoch to the table and the curve."""
        self._epochs.append(metrics)
        self._state = say(
            "epoch {epoch} of {total} · {time_left}",
            epoch=epoch + 1,
            total=self._total,
            time_left=self._say_time_left(),
        )
        if self._output.is_due:
            self._update()

    def on_train_end(self, history: History, interrupted: bool) -> None:
        """Say how the training ended."""
        spent = time.monotonic() - self._began_at
        how = say("stopped after") if interrupted else "finished"
        self._state = say(
            "{ended} {num_epochs} in {time}; the model has the weights of epoch {best_epoch}",
            ended=how,
            num_epochs=say_count("{number:,} epoch", "{number:,} epochs", history.num_epochs),
            time=say_duration(spent),
            best_epoch=history.best_epoch + 1,
        )
        self._total = max(history.num_epochs, 1)
        self._update(history)

    def on_late_interrupt(self) -> None:
        """Say that the run is still being saved."""
        self._state = say("training is complete; saving … (interrupting again discards the run)")
        self._update()

    def close(self) -> None:
        """Show the last epochs, whether or not the training came to its end."""
        self._update()

    def _say_time_left(self) -> str:
        done = len(self._epochs)
        left = self._total - self._before - done
        per_epoch = (time.monotonic() - self._began_at) / done
        return (
            say("{time} left at most", time=say_duration(left * per_epoch))
            if left
            else say("scoring …")
        )

    def _update(self, history: History | None = None) -> None:
        done = self._before + len(self._epochs)
        share = done / self._total if self._epochs else None
        names, rows = tabulate_epochs(self._epochs, self._before)
        html = view_progress(
            self._facts,
            self._warnings,
            [{"words": self._state, "share": share}],
            history or _to_history(self._epochs),
            names,
            rows,
        )
        last = (
            join(
                " · ",
                [
                    translate_term(name) + " " + cell
                    for name, cell in zip(names, rows[-1], strict=True)
                ],
            )
            if rows
            else ""
        )
        warnings = [say("warning: {sentence}", sentence=sentence) for sentence in self._warnings]
        self._output.send(
            html, join("\n", filter(None, [*self._facts, *warnings, self._state, last]))
        )


def tabulate_epochs(
    epochs: list[dict[str, float]], before: int
) -> tuple[list[str], list[list[str]]]:
    """Lay out the newest epochs as a table.

    Args:
      epochs: the metrics of each, by Keras's names.
      before: finished epochs that are not among them.
    Returns:
      (names, rows): the names of the columns, and cells as text.
    """
    if not epochs:
        return [], []
    # As the terminal has them: loss before accuracy, training before validation.
    names = sorted(epochs[0], key=lambda name: (name.startswith("val_"), "loss" not in name))
    first = max(0, len(epochs) - _MOST_ROWS)
    rows = [
        [str(before + number + 1), *(_say(name, epochs[number][name]) for name in names)]
        for number in range(first, len(epochs))
    ]
    return ["epoch", *names], rows


def _say(name: str, value: float) -> str:
    return share(value) if name.endswith("accuracy") else f"{value:.4f}"


def _to_history(epochs: list[dict[str, float]]) -> History | None:
    if not epochs:
        return None
    metrics = {name: tuple(epoch[name] for epoch in epochs) for name in epochs[0]}
    return History(metrics, len(epochs) - 1)
