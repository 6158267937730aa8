"""A finished training that needs no Keras: the tutorial recipe on the digits, with its sizes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clearcnn.results.scores import ClassScore, Evaluation, Interval, Score
from clearcnn.results.train import (
    ClassCount,
    DataSummary,
    History,
    LayerSummary,
    ModelSummary,
    TrainResult,
)
from clearcnn.specs import DataSpec, LayerSpec, ModelSpec, SplitSpec, TrainSpec

EPOCHS = 20


def make_data(class_names: tuple[str, ...] = tuple("0123456789"), **changes: Any) -> DataSummary:
    counts = [ClassCount(name, 170 + i, 110 + i, 20, 40) for i, name in enumerate(class_names)]
    fields: dict[str, Any] = {
        "source": "digits, embedded in scikit-learn",
        "shape": (1797, 8, 8),
        "dtype": "float64",
        "value_range": (0.0, 16.0),
        "observed_range": (0.0, 16.0),
        "classes": tuple(counts),
        "train": 1005,
        "validation": 252,
        "test": 540,
        "num_groups": 14,
        "preparation": (),
        "skipped": (),
        "content_hash": "0" * 64,
    }
    return DataSummary(**(fields | changes))


def make_model() -> ModelSummary:
    rows = (
        ("Conv2D 10 · 3×3 · relu", "Conv2D", (6, 6, 10), 100, (3, 3), 3240, 23400),
        ("MaxPooling2D 2×2", "MaxPooling2D", (3, 3, 10), 0, (4, 4), 0, None),
        ("Flatten", "Flatten", (90,), 0, (8, 8), 0, None),
        ("Dense 50 · relu", "Dense", (50,), 4550, (8, 8), 4500, None),
        ("Dense 10 · softmax", "Dense", (10,), 510, (8, 8), 500, None),
    )
    return ModelSummary(
        name="tutorial",
        input_shape=(8, 8, 1),
        layers=tuple(LayerSummary(*row) for row in rows),
        parameters=5160,
        multiply_adds=8240,
        mlp_parameters=28460,
    )


def make_result(run_folder: Path, *, interrupted: bool = False, **changes: Any) -> TrainResult:
    epochs = 7 if interrupted else EPOCHS
    rising = tuple(1 - 0.5 / (epoch + 1) for epoch in range(epochs))
    falling = tuple(1.0 / (epoch + 1) for epoch in range(epochs))
    fields: dict[str, Any] = {
        "recipe": "tutorial",
        "data": make_data(),
        "split": SplitSpec(split="random"),
        "model_summary": make_model(),
        "model_spec": ModelSpec("tutorial", (LayerSpec("Flatten"),)),
        "train": TrainSpec(epochs=EPOCHS),
        "history": History(
            {
                "loss": falling,
                "accuracy": rising,
                "val_loss": falling,
                "val_accuracy": rising,
            },
            best_epoch=epochs - 1,
        ),
        "test": Evaluation(
            score=Score(525, 540, Interval(0.9546, 0.9831, 0.95, "wilson")),
            loss=0.1003,
            classes=tuple(ClassScore(n, 0.97, 0.97, 0.97, 54, 54) for n in "0123456789"),
            confusion=((525,),),
            mistakes=(),
        ),
        "seconds": {"data": 0.08, "model": 0.21, "compile": 1.9, "fit": 1.42, "test": 0.11},
        "warnings": (),
        "interrupted": interrupted,
        "run_folder": run_folder,
    }
    return TrainResult(**(fields | changes))


class FakeTrain:
    """A fake of the workflow: records its arguments and calls the listener."""

    def __init__(self, result: TrainResult) -> None:
        self.result = result
        self.asked: dict[str, Any] = {}
        self.raises: BaseException | None = None
        self.warnings: tuple[str, ...] = ()

    def __call__(self, source: DataSpec, *, listener: Any, **asked: Any) -> TrainResult:
        self.asked = {"source": source, **asked}
        result = self.result
        listener.on_data(result.data, result.run_folder / "figures" / "classes.png")
        listener.on_model(result.model_summary)
        for warning in self.warnings:
            listener.on_warning(warning)
        listener.on_train_begin(result.train.epochs)
        for epoch in range(result.history.num_epochs):
            figures = {name: values[epoch] for name, values in result.history.metrics.items()}
            listener.on_epoch_end(epoch, figures)
            if self.raises is not None:
                raise self.raises
        listener.on_train_end(result.history, result.interrupted)
        return result


@pytest.fixture
def fake_train(monkeypatch: pytest.MonkeyPatch) -> FakeTrain:
    fake = FakeTrain(make_result(Path("runs/digits-20260101T120000Z")))
    monkeypatch.setattr("clearcnn.workflows.train.train.train", fake)
    return fake


@pytest.fixture
def data_summary() -> Callable[..., DataSummary]:
    return make_data


@pytest.fixture
def model_summary() -> ModelSummary:
    return make_model()


@pytest.fixture
def train_result() -> Callable[..., TrainResult]:
    return make_result
