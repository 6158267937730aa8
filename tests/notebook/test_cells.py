"""What a cell shows while a training or an evaluation goes on, by a fake output."""

from pathlib import Path
from typing import Any

import pytest

from clearcnn.notebook import cell_output, evaluation_cell, training_cell
from clearcnn.notebook.cell_output import say_duration
from clearcnn.notebook.evaluation_cell import EvaluationCell
from clearcnn.notebook.training_cell import TrainingCell, tabulate_epochs
from clearcnn.results.train import History


class FakeOutput:
    """Keeps what is sent; time for another update is always."""

    is_due = True

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def send(self, html: str, text: str) -> None:
        self.sent.append((html, text))


@pytest.fixture
def cell(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(training_cell, "CellOutput", FakeOutput)
    return TrainingCell()


def epochs(number: int) -> list[dict[str, float]]:
    return [
        {
            "accuracy": 1 - 0.5**epoch,
            "loss": 0.5**epoch,
            "val_accuracy": 0.5,
            "val_loss": 2.0,
        }
        for epoch in range(1, number + 1)
    ]


def test_a_training_is_a_growing_table_and_curve(cell: Any, trained: Any) -> None:
    cell.on_data(trained.data, Path("data.png"))
    cell.on_model(trained.model_summary)
    cell.on_warning("Few images <b>here</b>.")
    cell.on_train_begin(20)
    assert "compiling the program …" in cell._output.sent[-1][1]
    cell.on_compiled()
    assert "compiling" not in cell._output.sent[-1][1]
    assert "epoch 1 of 20 …" in cell._output.sent[-1][1]
    for number, metrics in enumerate(epochs(12)):
        cell.on_epoch_end(number, metrics)
    html, text = cell._output.sent[-1]
    assert "epoch 12 of 20 · 0 s left at most" in text
    assert "<svg" in html
    assert html.count("<tr>") == 1 + 8  # The heading and the newest epochs.
    assert "width:60.0%" in html
    assert "Few images &lt;b&gt;here&lt;/b&gt;." in html
    assert "warning: Few images" in text
    history = History({name: tuple(e[name] for e in epochs(12)) for name in epochs(1)[0]}, 9)
    cell.on_train_end(history, False)
    assert "finished 12 epochs" in cell._output.sent[-1][1]
    assert "the weights of epoch 10" in cell._output.sent[-1][1]


def test_a_resumed_training_counts_on(cell: Any) -> None:
    cell.on_train_begin(10)
    cell.on_resume(6)
    cell.on_compiled()
    assert "epoch 7 of 10 …" in cell._output.sent[-1][1]
    cell.on_epoch_end(6, epochs(1)[0])
    names, rows = tabulate_epochs(epochs(1), 6)
    assert names == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy"]
    assert rows == [["7", "0.5000", "50.0 %", "2.0000", "50.0 %"]]


def test_an_evaluation_is_a_bar_for_each_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation_cell, "CellOutput", FakeOutput)
    cell = EvaluationCell()
    cell.on_phase("training on folds", 4)
    cell.on_step()
    cell.on_phase("training baselines", 2)
    html, text = cell._output.sent[-1]
    assert "training on folds: 1 of 4 · about 0 s left\ntraining baselines: 0 of 2" in text
    assert "width:25.0%" in html


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (99, "99 s"), (100, "2 min"), (3_540, "59 min"), (7_500, "2 h 5 min")],
)
def test_durations_are_rounded(seconds: float, words: str) -> None:
    assert say_duration(seconds) == words


def test_updates_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(cell_output.time, "monotonic", lambda: now[0])
    output = cell_output.CellOutput()
    assert output.is_due
    output._sent_at = now[0]
    assert not output.is_due
    now[0] += 0.3
    assert output.is_due
