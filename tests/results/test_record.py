"""Every record's repr is one line, and a history reads as Keras's does."""

from pathlib import Path

import numpy as np
import pytest

from clearcnn.data import LabelledImages
from clearcnn.results.json_codec import to_json
from clearcnn.results.pictures import Pictures
from clearcnn.results.predict import ClassProbability, Prediction, Predictions
from clearcnn.results.record import shorten
from clearcnn.results.scores import Evaluation, Interval, Mistake, Score
from clearcnn.results.train import History

LONGEST = 200
HISTORY = History({"loss": (1.0, 0.5), "val_accuracy": (0.25, 0.75)}, best_epoch=1)


def predicted(name: str, label: str | None, confidence: float | None = 0.9) -> Prediction:
    top = (ClassProbability("cat", 0.9),) if confidence else ()
    error = None if confidence else "It is cut off."
    return Prediction(name, label, confidence, top, False, False, (), error)


def test_a_history_reads_like_kerass() -> None:
    assert HISTORY["val_accuracy"] == (0.25, 0.75)
    assert HISTORY.history["val_accuracy"] == [0.25, 0.75]
    assert dict(HISTORY) == {"loss": (1.0, 0.5), "val_accuracy": (0.25, 0.75)}
    assert HISTORY.epoch == [0, 1]
    assert "val_accuracy" in HISTORY
    with pytest.raises(KeyError, match="recall"):
        HISTORY["recall"]
    assert repr(HISTORY) == "History(2 epochs, the last with loss 0.5000, val_accuracy 0.7500)"


def test_a_score_is_a_sentence_and_a_number() -> None:
    score = Score(526, 529, Interval(0.983, 0.998, 0.95, "wilson"))
    assert str(score) == "526 of 529 correct: 99.4 %, 95 % interval 98.3–99.8"
    assert float(score) == 526 / 529


def test_long_records_are_shortened() -> None:
    mistakes = tuple(Mistake(row, f"{row}.png", "cat", "dog", 0.9) for row in range(400))
    score = Score(600, 1000, Interval(0.5, 0.7, 0.95, "wilson"))
    evaluation = Evaluation(score, 0.25, (), ((1,) * 40,) * 40, mistakes)
    assert repr(evaluation) == (
        "Evaluation(score=<Score>, loss=0.25, classes=(), confusion=<40 items>, "
        "mistakes=<400 items>, balanced=None)"
    )
    assert len(shorten("x" * 10_000)) < LONGEST
    assert "\n" not in shorten("one\ntwo")


def test_predictions_are_like_a_list_of_rows() -> None:
    found = Predictions([predicted("a.png", "cat"), predicted("b.png", None, None)])
    assert repr(found) == "Predictions(2: 'cat', None)"
    assert (len(found), found[1].error, found[-1]) == (2, "It is cut off.", found[1])
    assert [each.name for each in found] == ["a.png", "b.png"]
    assert found[:1] == Predictions([predicted("a.png", "cat")])
    rows = found.rows()
    assert rows[0] == {
        "name": "a.png",
        "prediction": "cat",
        "confidence": 0.9,
        "abstained": False,
        "is_unlike": False,
        "error": None,
    }
    assert rows[1].keys() == rows[0].keys()
    assert repr(found[0]) == "Prediction('a.png': 'cat', 90.0 %)"
    assert repr(found[1]) == "Prediction('b.png': error 'It is cut off.')"


def test_pictures_are_neither_json_nor_compared() -> None:
    pictures = Pictures(np.zeros((1, 2, 2, 1), np.uint8), (0, 255))
    shown = predicted("a.png", "cat").with_pictures(pictures)
    assert shown.pictures is pictures
    assert shown == predicted("a.png", "cat")
    assert "pictures" not in to_json(shown)
    assert repr(pictures) == "Pictures(1 of (2, 2, 1))"


def test_images_say_what_they_are_in_one_line() -> None:
    images = LabelledImages(
        images=np.zeros((3, 8, 8, 1), np.uint8),
        labels=np.zeros(3, np.int64),
        class_names=("a",),
        source="a folder",
        value_range=(0, 255),
        names=("x", "y", "z"),
    )
    assert repr(images) == "LabelledImages('a folder': (3, 8, 8, 1) uint8, 1 classes)"
    assert "\n" not in repr(Path("a"))
