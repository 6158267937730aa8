"""The advice follows from figures for which a person would give it."""

import dataclasses

import pytest

from clearcnn.evaluation import wilson_interval
from clearcnn.results.scores import ClassScore, Evaluation, Mistake, Score
from clearcnn.results.train import ClassCount, DataSummary, History
from clearcnn.specs import TrainSpec
from clearcnn.workflows.train.advice import advise

SPEC = TrainSpec(epochs=20)
DATA = DataSummary(
    source="photos",
    shape=(700, 32, 32, 3),
    dtype="uint8",
    value_range=(0.0, 255.0),
    observed_range=(0.0, 255.0),
    classes=(ClassCount("oak", 350, 200, 50, 100), ClassCount("elm", 350, 200, 50, 100)),
    train=400,
    validation=100,
    test=200,
    num_groups=None,
    preparation=(),
    skipped=(),
    content_hash="",
)


def history(fitted: float, validated: float, best: int = 1) -> History:
    return History({"accuracy": (0.3, fitted), "val_accuracy": (0.3, validated)}, best)


def scored(oak: int, elm: int, confidence: float = 0.6) -> Evaluation:
    """Right answers out of 100 images each."""
    wrong = 200 - oak - elm
    mistakes = tuple(Mistake(i, f"{i}.png", "oak", "elm", confidence) for i in range(wrong))
    classes = tuple(
        ClassScore(name, None, right / 100, None, 100, 100)
        for name, right in (("oak", oak), ("elm", elm))
    )
    score = Score(oak + elm, 200, wilson_interval(oak + elm, 200))
    return Evaluation(score, 0.5, classes, ((oak, 100 - oak), (100 - elm, elm)), mistakes)


def test_nothing_is_advised_where_nothing_is_left_to_gain() -> None:
    assert advise(DATA, SPEC, history(1.0, 0.8), scored(100, 99)) == ()


def test_a_model_that_knows_only_its_training_images_needs_more() -> None:
    (sentence,) = advise(DATA, SPEC, history(0.99, 0.7), scored(70, 70))
    assert sentence.startswith("More training images: the model gets 99.0 % of its 400 training")
    assert "70.0 % of the validation images" in sentence


def test_a_model_that_has_not_learnt_its_own_images_needs_longer() -> None:
    (sentence,) = advise(DATA, SPEC, history(0.6, 0.62), scored(62, 62))
    assert sentence.startswith("Longer training, such as --epochs 40")
    # Weights of an earlier epoch were better, so that more epochs would not help.
    assert advise(DATA, SPEC, history(0.6, 0.62, best=0), scored(62, 62)) == ()


def test_sure_mistakes_put_labels_in_doubt() -> None:
    (sentence,) = advise(DATA, SPEC, history(0.95, 0.93), scored(93, 93, confidence=0.99))
    assert "confident in 14 predictions that contradict their labels" in sentence
    # With label smoothing, no answer is as sure as that.
    smooth = dataclasses.replace(SPEC, label_smoothing=0.2)
    assert advise(DATA, smooth, history(0.95, 0.93), scored(93, 93, confidence=0.7)) == ()
    assert advise(DATA, smooth, history(0.95, 0.93), scored(93, 93, confidence=0.8)) != ()


def test_a_class_far_behind_the_others_needs_images() -> None:
    (sentence,) = advise(DATA, SPEC, history(0.95, 0.9), scored(99, 55))
    assert sentence == (
        "More images of elm: it is recognised in 55 of 100 test images, and has 200 training "
        "images."
    )


@pytest.mark.parametrize("fitted", [0.0, 0.5, 1.0])
def test_without_validation_images_the_fit_cannot_be_judged(fitted: float) -> None:
    assert advise(DATA, SPEC, History({"accuracy": (fitted,)}, 0), scored(90, 90)) == ()
