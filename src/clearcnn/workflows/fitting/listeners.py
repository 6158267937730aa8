"""How a workflow tells of its progress."""

from pathlib import Path

from clearcnn.results.train import DataSummary, History, ModelSummary


class TrainListener:
    """Hears how a training goes; every method may be overridden and does nothing here."""

    def on_data(self, summary: DataSummary, sheet: Path) -> None:
        """The data is read and parted; the picture sheet will lie at `sheet`."""

    def on_model(self, summary: ModelSummary) -> None:
        """The model is known, layer by layer."""

    def on_warning(self, sentence: str) -> None:
        """Something the user should know."""

    def on_train_begin(self, epochs: int) -> None:
        """Keras is loaded; the program is about to be compiled, for so many epochs at most."""

    def on_epoch_end(self, epoch: int, metrics: dict[str, float]) -> None:
        """An epoch, counted from 0, is done; metrics by Keras's names."""

    def on_resume(self, epochs: int) -> None:
        """The training goes on after so many epochs, of which nothing more is heard."""

    def on_checkpoint(self, folder: Path) -> None:
        """From now on the training can be gone on with, if it is stopped: from this folder."""

    def on_train_end(self, history: History, interrupted: bool) -> None:
        """Training is over."""

    def on_late_interrupt(self) -> None:
        """Ctrl-C, after training was over: the run is written all the same, unless it comes again.

        Called between any two steps of the program.
        """


class EvaluateListener:
    """Hears how an evaluation goes; every method may be overridden and does nothing here."""

    def on_phase(self, name: str, steps: int) -> None:
        """A phase begins, of so many steps."""

    def on_step(self) -> None:
        """A step of it, such as one training, is done."""
