import pytest

from clearcnn.evaluation import wilson_interval
from clearcnn.report import score_sentence
from clearcnn.report.number_format import (
    augmentation_sentence,
    percent,
    plain,
    recipe_rows,
    seconds,
    shape,
)
from clearcnn.results.scores import Score
from clearcnn.specs import AugmentationSpec, TrainSpec


def test_the_tutorials_score_is_one_plain_sentence():
    score = Score(525, 540, wilson_interval(525, 540))
    assert score_sentence(score) == (
        "525 of 540 test images correct: 97.2 %, 95 % interval 95.5–98.3"
    )


def test_a_perfect_score_ends_at_a_hundred():
    score = Score(1797, 1797, wilson_interval(1797, 1797))
    assert score_sentence(score) == (
        "1,797 of 1,797 test images correct: 100.0 %, 95 % interval 99.8–100.0"
    )


@pytest.mark.parametrize(
    ("fraction", "words"),
    [
        (0.0, "0.0"),
        (1.0, "100.0"),
        (525 / 540, "97.2"),
        (9_999 / 10_000, "99.99"),
        (59_999 / 60_000, "99.998"),
        (1 / 60_000, "0.002"),
        (1 - 1e-16, "100.0"),
    ],
)
def test_rounding_never_makes_all_of_almost_all(fraction, words):
    assert percent(fraction) == words


def test_counts_times_and_shapes():
    assert [seconds(t) for t in (0.0123, 0.5, 2.61, 99.94, 125)] == [
        *("0.012 s", "0.5 s", "2.6 s", "99.9 s", "2 min 5 s")
    ]
    assert shape((8, 8, 1)) == "8 × 8 × 1"


def test_names_become_one_printable_line():
    assert plain("고양이") == "고양이"
    assert plain("a\nb\x00\u202e") == "a�b��"
    assert plain("bad\udcff") == "bad\\udcff"
    assert plain("abcdef", most=4) == "abc…"
    assert len(plain("가" * 100, most=24)) == 24


def test_the_recipe_says_only_what_was_on():
    assert dict(recipe_rows(TrainSpec())) == {
        "Optimizer": "Adam",
        "Learning rate": "0.001, constant",
        "Batch size": "50 images",
        "Augmentation": "none",
        "Seed": "777",
    }
    rows = dict(
        recipe_rows(
            TrainSpec(optimizer="adamw", weight_decay=0.01, label_smoothing=0.05, patience=1)
        )
    )
    assert rows["Optimizer"] == "AdamW, weight decay 0.01"
    assert rows["Label smoothing"] == "0.05"
    assert rows["Early stopping"] == "after 1 epoch without a lower validation loss"


def test_augmentation_is_said_with_its_units():
    assert augmentation_sentence(AugmentationSpec(0.8, 0.25, 0.15, 0.1)) == (
        "shift ±0.8 pixels, rotation ±0.25 radians, zoom ±15 %, shear ±0.1"
    )
    assert augmentation_sentence(AugmentationSpec()) == "none"
