"""Progress, live: HTML in a notebook, and the terminal's display elsewhere."""

from collections.abc import Iterator
from contextlib import contextmanager

from clearcnn.cli.console import Console
from clearcnn.cli.evaluate_view import EvaluateDisplay
from clearcnn.cli.progress import TrainDisplay
from clearcnn.language import choose_language
from clearcnn.notebook.environment import find_environment
from clearcnn.workflows.fitting.listeners import EvaluateListener, TrainListener


@contextmanager
def open_training() -> Iterator[TrainListener]:
    """Give a listener that shows a training as it goes on."""
    if find_environment() == "notebook":
        from clearcnn.notebook.training_cell import TrainingCell

        cell = TrainingCell()
        try:
            yield cell
        finally:
            cell.close()
        return
    with TrainDisplay(Console(language=choose_language())) as display:
        yield display


@contextmanager
def open_evaluation() -> Iterator[EvaluateListener]:
    """Give a listener that shows an evaluation or a check as it goes on."""
    if find_environment() == "notebook":
        from clearcnn.notebook.evaluation_cell import EvaluationCell

        cell = EvaluationCell()
        try:
            yield cell
        finally:
            cell.close()
        return
    display = EvaluateDisplay(Console(language=choose_language()))
    try:
        yield display
    finally:
        display.close()
