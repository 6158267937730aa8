"""What would improve a model most, from the figures of its own training."""

from clearcnn.language import say, say_count
from clearcnn.report.number_format import percent
from clearcnn.results.scores import Evaluation
from clearcnn.results.train import DataSummary, History
from clearcnn.specs import TrainSpec

# Shares of images. Below the first, there is little to gain; a gap or a deficit beyond the others
# is more than chance gives in a validation set of some hundred images.
_LITTLE_ERROR = 0.005
_OVERFITTED = 0.10
_NOT_AHEAD = 0.02
_NOT_LEARNT = 0.9  # Augmented images are harder than those of the validation set.
_CONFIDENT_MISTAKES = 0.01
_FEWEST_MISTAKES = 3
_WEAK_CLASS = 0.2
_FEWEST_IMAGES = 5


def advise(
    data: DataSummary, train: TrainSpec, history: History, test: Evaluation
) -> tuple[str, ...]:
    """List what would help, most likely first; empty where little is left to gain.

    Args:
      data: the images of each class.
      train: how the model was trained.
      history: of its epochs.
      test: its score on the test set.
    Returns:
      One sentence each.
    """
    if len(test.mistakes) <= _LITTLE_ERROR * test.score.total:
        return ()
    found = (
        _judge_fit(data, train, history),
        _find_doubtful_labels(train, test),
        _find_weak_class(data, test),
    )
    return tuple(filter(None, found))


def _judge_fit(data: DataSummary, train: TrainSpec, history: History) -> str | None:
    """Compare accuracies on the training and the validation set."""
    if "val_accuracy" not in history.metrics:
        return None
    best = history.best_epoch
    fitted = history.metrics["accuracy"][best]
    validated = history.metrics["val_accuracy"][best]
    if fitted - validated > _OVERFITTED:
        return say(
            "More training images: the model gets {fitted} % of its {train} right, but "
            "{validated} % of the validation images.",
            fitted=percent(fitted),
            train=say_count("{number:,} training image", "{number:,} training images", data.train),
            validated=percent(validated),
        )
    is_unlearnt = fitted < min(validated + _NOT_AHEAD, _NOT_LEARNT)
    if is_unlearnt and best == history.num_epochs - 1:
        return say(
            "Longer training, such as --epochs {epochs}: the model gets only {fitted} % "
            "of its own training images right, so it has not learnt them yet.",
            epochs=2 * train.epochs,
            fitted=percent(fitted),
        )
    return None


def _find_doubtful_labels(train: TrainSpec, test: Evaluation) -> str | None:
    """Count mistakes that are as confident as correct predictions can be."""
    sure = 0.95 * (1 - train.label_smoothing)
    confident = sum(mistake.confidence >= sure for mistake in test.mistakes)
    if confident < max(_FEWEST_MISTAKES, _CONFIDENT_MISTAKES * test.score.total):
        return None
    return say(
        "Check the labels: the model is confident in {confident} that {what}. Run clearcnn check "
        "to list suspects.",
        confident=say_count("{number:,} prediction", "{number:,} predictions", confident),
        what=say("contradicts its label") if confident == 1 else say("contradict their labels"),
    )


def _find_weak_class(data: DataSummary, test: Evaluation) -> str | None:
    """Find the class of the lowest recall, if it is far below all images' accuracy."""
    tested = [each for each in test.classes if each.support >= _FEWEST_IMAGES]
    if not tested:
        return None
    weakest = min(tested, key=lambda each: each.recall or 0.0)
    recall = weakest.recall or 0.0
    if recall > test.score.accuracy - _WEAK_CLASS:
        return None
    images = next(each.train for each in data.classes if each.name == weakest.name)
    return say(
        "More images of {name}: it is recognised in {number:,} of {support}, and has {images}.",
        name=weakest.name,
        number=round(recall * weakest.support),
        support=say_count("{number:,} test image", "{number:,} test images", weakest.support),
        images=say_count("{number:,} training image", "{number:,} training images", images),
    )
