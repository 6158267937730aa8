"""What the curves of a training show, in words with its own figures."""

import math
from collections.abc import Sequence

from clearcnn.language import say, say_count
from clearcnn.report.number_format import percent
from clearcnn.results.train import History
from clearcnn.specs import TrainSpec

# Fewer epochs have no shape.
_FEWEST_EPOCHS = 4
# Changes that are more than the noise between epochs: of the loss, as a share of its minimum; of
# the accuracy, in shares of the images.
_RISEN = 0.1
_GAINED = 0.01
_SPREAD = 0.02


def describe_history(history: History, train: TrainSpec) -> tuple[str, ...]:
    """Describe the curves: overfitting, still improving, levelled off, stopped in time.

    Args:
      history: of the epochs.
      train: how the model was trained.
    Returns:
      One sentence each; none without a validation set, and for fewer than four epochs.
    """
    losses, accuracies = (history.metrics.get(name, ()) for name in ("val_loss", "val_accuracy"))
    known = all(map(math.isfinite, (*losses, *accuracies, *history.metrics.get("loss", ()))))
    if not losses or not accuracies or not known or history.num_epochs < _FEWEST_EPOCHS:
        return ()
    shape = _find_overfitting(history, losses) or _judge_end(history, train, accuracies)
    return (*shape, *_say_stop(history, train))


def _find_overfitting(history: History, losses: Sequence[float]) -> tuple[str, ...]:
    """The validation loss rose after its minimum while the training loss went on falling."""
    fitted = history.metrics["loss"]
    lowest = min(range(len(losses)), key=losses.__getitem__)
    if losses[-1] < losses[lowest] * (1 + _RISEN) or fitted[-1] >= fitted[lowest]:
        return ()
    return (
        say(
            "Overfitting: the validation loss was lowest after epoch {lowest}, {lowest_loss:.3f}, "
            "and rose to {last_loss:.3f}, while the training loss fell from "
            "{training_loss_then:.3f} to "
            "{training_loss_now:.3f}.",
            lowest=lowest + 1,
            lowest_loss=losses[lowest],
            last_loss=losses[-1],
            training_loss_then=fitted[lowest],
            training_loss_now=fitted[-1],
        ),
    )


def _judge_end(history: History, train: TrainSpec, accuracies: Sequence[float]) -> tuple[str, ...]:
    """Compare the validation accuracy of the last fifth of the epochs with the fifth before."""
    part = max(2, history.num_epochs // 5)
    late, before = accuracies[-part:], accuracies[-2 * part : -part]
    gain = sum(late) / len(late) - sum(before) / len(before)
    words = say(
        "{low} % to {high} %, averaged over {part}",
        low=percent(sum(before) / len(before)),
        high=percent(sum(late) / len(late)),
        part=say_count("{number:,} epoch", "{number:,} epochs", part),
    )
    if gain > _GAINED and train.schedule == "one_cycle":
        return (
            say(
                "Rising to the end: validation accuracy went from {words}. A learning rate "
                "that falls to 0 does that; only a longer training shows whether more epochs "
                "help.",
                words=words,
            ),
        )
    if gain > _GAINED:
        return (say("Still improving: validation accuracy went from {words}.", words=words),)
    if max(late) - min(late) > _SPREAD:
        return (
            say(
                "Unsteady: over the last {part}, validation accuracy was between {low} % and "
                "{high} %. A lower learning rate or a larger validation set would make it "
                "steadier.",
                part=say_count("{number:,} epoch", "{number:,} epochs", part),
                low=percent(min(late)),
                high=percent(max(late)),
            ),
        )
    epochs = say_count("{number:,} epoch", "{number:,} epochs", part)
    low, high = percent(min(late)), percent(max(late))
    if low == high:
        return (
            say(
                "Levelled off: over the last {epochs}, validation accuracy stayed at {low} %.",
                epochs=epochs,
                low=low,
            ),
        )
    return (
        say(
            "Levelled off: over the last {epochs}, validation accuracy stayed between {low} % and "
            "{high} %.",
            epochs=epochs,
            low=low,
            high=high,
        ),
    )


def _say_stop(history: History, train: TrainSpec) -> tuple[str, ...]:
    waited = history.num_epochs - 1 - history.best_epoch
    if train.patience is None or waited < train.patience:
        return ()
    return (
        say(
            "Stopped in time: {waited} without a lower validation loss ended the training, "
            "and the model has the weights of epoch {best_epoch}.",
            waited=say_count("{number:,} epoch", "{number:,} epochs", waited),
            best_epoch=history.best_epoch + 1,
        ),
    )
