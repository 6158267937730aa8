"""Specs refuse what is out of range, errors travel whole, and results become plain JSON."""

import dataclasses
import json
import math
import pickle
from pathlib import Path
from typing import Any

import pytest

from clearcnn import errors
from clearcnn.results.json_codec import to_json
from clearcnn.results.scores import Interval, Score
from clearcnn.results.train import History
from clearcnn.specs import AugmentationSpec, DataSpec, SplitSpec, TrainSpec

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.ClearCNNError)
]


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        (DataSpec, "color_mode", "cmyk"),
        (DataSpec, "size", (0, 8)),
        (DataSpec, "size", (8, 5000)),
        (DataSpec, "class_names", ("cat", "dog", "cat")),
        (SplitSpec, "split", "by hand"),
        (SplitSpec, "test_fraction", 0.0),
        (SplitSpec, "test_fraction", 1.0),
        (SplitSpec, "validation_fraction", -0.1),
        (SplitSpec, "validation_fraction", math.nan),
        (SplitSpec, "seed", -1),
        (TrainSpec, "epochs", 0),
        (TrainSpec, "batch_size", 0),
        (TrainSpec, "learning_rate", 0.0),
        (TrainSpec, "learning_rate", math.inf),
        (TrainSpec, "optimizer", "sgd"),
        (TrainSpec, "schedule", "cosine"),
        (TrainSpec, "weight_decay", -1.0),
        (TrainSpec, "label_smoothing", 1.0),
        (TrainSpec, "patience", 0),
        (TrainSpec, "seed", 2**32),
        (AugmentationSpec, "shift_pixels", -1.0),
        (AugmentationSpec, "rotation_radians", 4.0),
        (AugmentationSpec, "zoom_fraction", 1.0),
        (AugmentationSpec, "shear_fraction", -0.1),
    ],
)
def test_a_spec_names_the_field_and_the_value(kind: Any, field: str, value: Any) -> None:
    with pytest.raises(errors.SpecError, match=field) as caught:
        kind(**{field: value})
    said = "cat" if field == "class_names" else str(value)
    assert said in caught.value.problem
    assert caught.value.remedy.endswith(".")


def test_bounds_are_as_documented() -> None:
    SplitSpec(test_fraction=1e-9, validation_fraction=0.0, seed=2**32 - 1)
    TrainSpec(epochs=1, batch_size=1, label_smoothing=0.0, patience=None)
    AugmentationSpec(rotation_radians=math.pi, zoom_fraction=0.99)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_says_problem_and_remedy_and_survives_pickling(kind: Any) -> None:
    error = kind("It is 3 of 5.", remedy="Give 5.")
    again = pickle.loads(pickle.dumps(error))
    for one in (error, again):
        assert type(one) is kind
        assert (one.problem, one.remedy, str(one)) == (
            "It is 3 of 5.",
            "Give 5.",
            "It is 3 of 5. Give 5.",
        )


def test_the_tree_of_errors_is_drawn_whole() -> None:
    for kind in KINDS:
        assert kind.__name__ in (errors.__doc__ or "")


def test_results_become_plain_json() -> None:
    score = Score(3, 4, Interval(0.3, 0.95, 0.95, "Wilson"))
    record = {
        "score": score,
        "history": History({"loss": (1.5, math.nan, math.inf)}, 1),
        "path": Path("runs") / "a",
        "shape": (2, 3),
        4: None,
    }
    assert json.loads(json.dumps(to_json(record), allow_nan=False)) == {
        "score": {
            "accuracy": 0.75,
            "correct": 3,
            "total": 4,
            "interval": {"low": 0.3, "high": 0.95, "confidence": 0.95, "method": "Wilson"},
        },
        "history": {"metrics": {"loss": [1.5, None, None]}, "best_epoch": 1},
        "path": str(Path("runs") / "a"),
        "shape": [2, 3],
        "4": None,
    }


def test_records_do_not_change() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        TrainSpec().epochs = 3  # type: ignore[misc]
