"""The words on a training follow from curves for which a person would say them."""

import numpy as np
import pytest

from clearcnn.report.history_words import describe_history
from clearcnn.results.train import History
from clearcnn.specs import TrainSpec

CONSTANT = TrainSpec(schedule="constant")


def make(val_accuracy, val_loss, loss, best=None):
    metrics = {"val_accuracy": val_accuracy, "val_loss": val_loss, "loss": loss}
    series = {name: tuple(map(float, values)) for name, values in metrics.items()}
    return History(series, len(loss) - 1 if best is None else best)


def falling(epochs, floor=0.1):
    return floor + np.exp(-np.arange(epochs) / 5)


def test_overfitting_names_the_epoch_and_both_losses():
    val_loss = np.concatenate([falling(10), np.linspace(0.3, 0.6, 20)])
    words = describe_history(make(np.full(30, 0.9), val_loss, falling(30, 0)), CONSTANT)
    lowest = int(val_loss.argmin())
    assert words == (
        f"Overfitting: the validation loss was lowest after epoch {lowest + 1}, "
        f"{val_loss[lowest]:.3f}, and rose to 0.600, while the training loss fell from "
        f"{falling(30, 0)[lowest]:.3f} to 0.003.",
    )


def test_a_loss_that_rises_with_that_of_training_is_no_overfitting():
    loss = np.concatenate([falling(10), np.linspace(0.3, 0.6, 20)])
    words = describe_history(make(np.full(30, 0.9), loss, loss), CONSTANT)
    assert words == ("Levelled off: over the last 6 epochs, validation accuracy stayed at 90.0 %.",)
    steady = np.where(np.arange(30) % 2, 0.9, 0.895)
    words = describe_history(make(steady, loss, loss), CONSTANT)
    assert words == (
        "Levelled off: over the last 6 epochs, validation accuracy stayed between 89.5 % and "
        "90.0 %.",
    )


@pytest.mark.parametrize(
    ("schedule", "start"), [("constant", "Still improving"), ("one_cycle", "Rising to the end")]
)
def test_a_rising_accuracy_is_worded_by_the_schedule(schedule, start):
    rising = np.linspace(0.5, 0.9, 20)
    [words] = describe_history(make(rising, falling(20), falling(20)), TrainSpec(schedule=schedule))
    assert words.startswith(start)
    before, late = 100 * rising[-8:-4].mean(), 100 * rising[-4:].mean()
    assert f"from {before:.1f} % to {late:.1f} %, averaged over 4 epochs" in words


def test_jumps_are_unsteady():
    jumps = np.where(np.arange(20) % 2, 0.9, 0.8)
    [words] = describe_history(make(jumps, falling(20), falling(20)), CONSTANT)
    assert words.startswith("Unsteady: over the last 4 epochs")
    assert "between 80.0 % and 90.0 %" in words


def test_early_stopping_is_said():
    history = make(np.full(25, 0.95), falling(25), falling(25), best=14)
    words = describe_history(history, TrainSpec(patience=10))
    assert words[-1] == (
        "Stopped in time: 10 epochs without a lower validation loss ended the training, and the "
        "model has the weights of epoch 15."
    )
    assert len(describe_history(history, TrainSpec(patience=11))) == 1


@pytest.mark.parametrize(
    "history",
    [
        make([0.5] * 3, [1] * 3, [1] * 3),
        make([0.5] * 9, [1] * 8 + [np.nan], [1] * 9),
        History({"loss": (1.0,) * 9}, 8),
    ],
)
def test_few_epochs_nan_and_no_validation_set_have_no_words(history):
    assert describe_history(history, CONSTANT) == ()
