"""The tables of a run folder: history.csv, predictions.csv, metrics.json; all in UTF-8."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from clearcnn.bundle.manifest import write_json
from clearcnn.results.json_codec import SCHEMA_VERSION, to_json
from clearcnn.results.train import History, TrainResult
from clearcnn.text import escape


def write_history(folder: Path, history: History) -> None:
    """Write `history.csv`: one row per epoch, counted from 1, with Keras's metric names."""
    rows = zip(*history.metrics.values(), strict=True)
    _write_csv(
        folder / "history.csv",
        ["epoch", *history.metrics],
        ([epoch, *row] for epoch, row in enumerate(rows, start=1)),
    )


def write_metrics(folder: Path, result: TrainResult) -> None:
    """Write `metrics.json`: the whole result and its schema version.

    The path of the folder is left out, since the folder may be moved.
    """
    values = to_json(result)
    del values["run_folder"]
    write_json(folder / "metrics.json", {"schema_version": SCHEMA_VERSION, **values})


def write_predictions(
    folder: Path,
    labels: ArrayLike,
    probabilities: ArrayLike,
    class_names: Sequence[str],
    indices: ArrayLike,
    names: Sequence[str],
) -> None:
    """Write `predictions.csv`: one row per test image; names as `escape` writes them.

    Columns are index, name, label, prediction, confidence, correct ("true" or "false"), then
    probability_<class> for every class.

    Args:
      labels: (n,) int, 0..num_classes - 1, the true classes.
      probabilities: (n, num_classes) float in [0, 1], each row summing to 1; written with the
        fewest digits that read back as the same float32.
      class_names: num_classes names.
      indices: (n,) int, each image's row among all images of the source.
      names: n names: each image's file, or its row, such as "row 7".
    """
    truth = np.asarray(labels)
    chances = np.asarray(probabilities, dtype=np.float32)
    predictions = chances.argmax(axis=1)
    digits = chances.astype(str)
    _write_csv(
        folder / "predictions.csv",
        ["index", "name", "label", "prediction", "confidence", "correct"]
        + [f"probability_{name}" for name in class_names],
        (
            [
                int(index),
                name,
                class_names[label],
                class_names[prediction],
                row[prediction],
                "true" if label == prediction else "false",
                *row,
            ]
            for index, name, label, prediction, row in zip(
                np.asarray(indices), names, truth, predictions, digits, strict=True
            )
        ),
    )


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(map(escape, header))
        writer.writerows(
            [escape(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
        )
