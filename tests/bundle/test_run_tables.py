import csv
import io
import json

import numpy as np
import pytest

from clearcnn.bundle import write_history, write_metrics, write_predictions
from clearcnn.results.json_codec import SCHEMA_VERSION
from clearcnn.results.train import History


def _read(path):
    content = path.read_bytes()
    assert b"\r" not in content
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))


def test_history_counts_epochs_from_one_and_keeps_every_digit(tmp_path):
    losses = (0.1 + 0.2, 1e-17, 2.5)
    write_history(tmp_path, History({"loss": losses, "val_accuracy": (0.5, 0.75, 1.0)}, 2))
    header, *rows = _read(tmp_path / "history.csv")
    assert header == ["epoch", "loss", "val_accuracy"]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert tuple(float(row[1]) for row in rows) == losses


def test_metrics_hold_the_result_and_no_place(tmp_path, result):
    write_metrics(tmp_path, result)
    values = json.loads((tmp_path / "metrics.json").read_bytes())
    assert values["schema_version"] == SCHEMA_VERSION
    assert values["test"]["score"]["accuracy"] == 0.5
    assert values["history"]["metrics"]["val_loss"] == [None, 0.3]
    assert values["data"]["classes"][0]["name"] == "고양이"
    assert "run_folder" not in values


def test_predictions_are_one_row_per_image(tmp_path):
    names = ["a,b.png", 'quote".png', "한글\n.png", "bad\udcff.png"]
    probabilities = np.array(
        [[0.9, 0.1], [1 / 3, 2 / 3], [0.5, 0.5], [1e-12, 1.0]], dtype=np.float32
    )
    write_predictions(
        tmp_path, [0, 0, 1, 1], probabilities, ["고양이", "name"], [7, 3, 5, 9], names
    )
    header, *rows = _read(tmp_path / "predictions.csv")
    assert header == [
        *("index", "name", "label", "prediction", "confidence", "correct"),
        *("probability_고양이", "probability_name"),
    ]
    assert [row[:4] for row in rows] == [
        ["7", "a,b.png", "고양이", "고양이"],
        ["3", 'quote".png', "고양이", "name"],
        ["5", "한글\\n.png", "name", "고양이"],
        ["9", "bad\\udcff.png", "name", "name"],
    ]
    assert [row[5] for row in rows] == ["true", "false", "false", "true"]
    read_back = np.array([row[6:] for row in rows], dtype=np.float32)
    np.testing.assert_array_equal(read_back, probabilities)
    np.testing.assert_array_equal(
        np.array([row[4] for row in rows], dtype=np.float32), probabilities.max(axis=1)
    )


def test_rows_that_do_not_match_are_not_cut_short(tmp_path):
    with pytest.raises(ValueError, match="zip"):
        write_predictions(tmp_path, [0, 1], np.eye(2), ["a", "b"], [0, 1], ["one"])
