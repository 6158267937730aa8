"""`train` from end to end, checked against scikit-learn's split and plain Keras."""

import csv
import hashlib
import html
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import clearcnn
from clearcnn import models
from clearcnn.bundle import read_bundle
from clearcnn.models import read_model
from clearcnn.specs import ModelSpec

FILES = {
    "model.keras",
    "model.onnx",
    "model_layers.onnx",
    "model.toml",
    "bundle.json",
    "checkpoint.npz",
    "history.csv",
    "metrics.json",
    "predictions.csv",
    "report.html",
    "figures/data.png",
    "figures/curves.png",
    "figures/confusion.png",
}
EPOCHS = 6


@pytest.fixture(scope="module")
def tutorial_rows() -> SimpleNamespace:
    """The rows of the tutorial's split: scikit-learn's, then Keras's `validation_split=0.2`."""
    rest, test = train_test_split(np.arange(1797), test_size=0.3, random_state=777)
    return SimpleNamespace(train=rest[:-252], validation=rest[-252:], test=test)


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: Any, make_ear: Any, spying: Any) -> Iterator[SimpleNamespace]:
    """One run of the tutorial on the digits, with its events and its call of `fit`."""
    home = tmp_path_factory.mktemp("tutorial")
    ear = make_ear()
    with spying() as spy, pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        result = clearcnn.train("digits", recipe="tutorial", epochs=EPOCHS, listener=ear)
    yield SimpleNamespace(home=home, result=result, ear=ear, fits=spy.calls)


@pytest.fixture(scope="module")
def predictions(tutorial: SimpleNamespace) -> list[dict[str, str]]:
    return read_table(tutorial.result.run_folder / "predictions.csv")


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_probabilities(path: Path) -> np.ndarray:
    rows = read_table(path)
    columns = [name for name in rows[0] if name.startswith("probability_")]
    return np.array([[float(row[name]) for name in columns] for row in rows], np.float32)


def files_in(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


# The tutorial, exactly


def test_the_data_are_the_tutorials(tutorial: SimpleNamespace) -> None:
    data = tutorial.result.data
    assert data.shape == (1797, 8, 8)
    assert (data.train, data.validation, data.test) == (1005, 252, 540)
    assert data.value_range == data.observed_range == (0.0, 16.0)
    counts = np.bincount(load_digits().target)
    assert [each.total for each in data.classes] == counts.tolist()
    assert [each.name for each in data.classes] == list("0123456789")
    for each in data.classes:
        assert each.train + each.validation + each.test == each.total


def test_fit_receives_raw_training_and_validation_images_and_never_the_test(
    tutorial: SimpleNamespace, tutorial_rows: SimpleNamespace
) -> None:
    digits = load_digits()
    (call,) = tutorial.fits
    validation_x, validation_y, validation_weights = call["validation_data"]
    assert validation_weights is None
    np.testing.assert_array_equal(call["x"][..., 0], digits.images[tutorial_rows.train])
    np.testing.assert_array_equal(validation_x[..., 0], digits.images[tutorial_rows.validation])
    np.testing.assert_array_equal(call["y"], np.eye(10)[digits.target[tutorial_rows.train]])
    np.testing.assert_array_equal(validation_y, np.eye(10)[digits.target[tutorial_rows.validation]])
    # No two digits are equal, so pixels identify test images.
    test = {image.tobytes() for image in digits.images[tutorial_rows.test].astype(np.float64)}
    seen = np.concatenate([call["x"], validation_x])[..., 0].astype(np.float64)
    assert len(test) == 540
    assert not test & {image.tobytes() for image in seen}


def test_the_training_is_the_tutorials(tutorial: SimpleNamespace) -> None:
    (call,) = tutorial.fits
    assert (call["batch_size"], call["epochs"]) == (50, EPOCHS)
    optimizer = call["model"].optimizer
    assert type(optimizer).__name__ == "Adam"
    assert float(optimizer.learning_rate) == pytest.approx(0.001)
    assert int(optimizer.iterations) == EPOCHS * 21
    layers = [type(layer).__name__ for layer in call["model"].layers]
    assert layers == ["Conv2D", "Activation", "MaxPooling2D", "Flatten", "Dense", "Dense"]


def test_test_rows_are_those_of_scikit_learn(
    predictions: list[dict[str, str]], tutorial_rows: SimpleNamespace
) -> None:
    assert [int(row["index"]) for row in predictions] == tutorial_rows.test.tolist()
    truth = load_digits().target[tutorial_rows.test]
    assert [int(row["label"]) for row in predictions] == truth.tolist()


def test_six_epochs_learn_something(tutorial: SimpleNamespace) -> None:
    losses = tutorial.result.history.metrics["loss"]
    assert losses[-1] < losses[0] / 4
    assert tutorial.result.test.score.accuracy > 0.8


# The run folder


def test_the_run_folder_is_complete_and_alone(tutorial: SimpleNamespace) -> None:
    folder = tutorial.result.run_folder
    assert folder.is_absolute()
    assert list((tutorial.home / "runs").iterdir()) == [folder]
    assert folder.name.startswith("digits-")
    assert files_in(folder) == FILES
    assert read_bundle(folder).manifest.class_names == tuple("0123456789")


def test_hashes_are_those_of_the_files(tutorial: SimpleNamespace) -> None:
    folder = tutorial.result.run_folder
    listed = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))["files"]
    assert set(listed) == FILES - {"bundle.json"}
    for name, entry in listed.items():
        content = (folder / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def test_the_manifest_has_the_specs_and_the_input_contract(tutorial: SimpleNamespace) -> None:
    manifest = read_bundle(tutorial.result.run_folder).manifest
    result = tutorial.result
    assert (manifest.split, manifest.train) == (result.split, result.train)
    assert manifest.data.source == "digits"
    assert manifest.content_hash == clearcnn.load("digits").content_hash
    assert manifest.input.shape == (8, 8, 1)
    assert manifest.input.value_range == (0.0, 16.0)
    assert manifest.input.color_mode == "grayscale"
    assert manifest.input.polarity == "light_on_dark"


def test_history_csv_is_the_history(tutorial: SimpleNamespace) -> None:
    rows = read_table(tutorial.result.run_folder / "history.csv")
    metrics = tutorial.result.history.metrics
    assert list(metrics) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert list(rows[0]) == ["epoch", *metrics]
    assert [row["epoch"] for row in rows] == [str(k + 1) for k in range(EPOCHS)]
    for name, values in metrics.items():
        assert [float(row[name]) for row in rows] == list(values)


def test_metrics_json_and_predictions_csv_agree(
    tutorial: SimpleNamespace, predictions: list[dict[str, str]]
) -> None:
    kept = json.loads((tutorial.result.run_folder / "metrics.json").read_text(encoding="utf-8"))
    right = [row["label"] == row["prediction"] for row in predictions]
    assert [row["correct"] == "true" for row in predictions] == right
    score = kept["test"]["score"]
    assert (score["correct"], score["total"]) == (sum(right), 540)
    assert score["accuracy"] == pytest.approx(np.mean(right))
    assert tutorial.result.test.score.correct == sum(right)
    probabilities = read_probabilities(tutorial.result.run_folder / "predictions.csv")
    assert [str(k) for k in probabilities.argmax(axis=1)] == [r["prediction"] for r in predictions]


def test_model_toml_reads_back_as_the_model(tutorial: SimpleNamespace) -> None:
    spec = read_model(tutorial.result.run_folder / "model.toml")
    assert spec == tutorial.result.model_spec
    kept = read_bundle(tutorial.result.run_folder).manifest.model
    assert models.write_model(kept) == models.write_model(spec)


def test_the_report_shows_the_accuracy(tutorial: SimpleNamespace) -> None:
    page = (tutorial.result.run_folder / "report.html").read_text(encoding="utf-8")
    score = tutorial.result.test.score
    assert f"{score.correct} of 540 test images correct" in page
    assert f"{100 * score.correct / 540:.1f}" in page
    command = f"clearcnn.train('digits', recipe='tutorial', epochs={EPOCHS}, seed=777)"
    assert command in html.unescape(page)


def test_the_listener_gets_all_events_in_order(tutorial: SimpleNamespace) -> None:
    result, heard = tutorial.result, tutorial.ear.heard
    groups, precision = result.warnings
    assert tutorial.ear.names == [
        *("data", "model", "warning", "begin"),
        *["epoch"] * EPOCHS,
        *("end", "warning"),
    ]
    assert heard[0][1:] == (result.data, result.run_folder / "figures" / "data.png")
    assert heard[1][1] == result.model_summary
    assert heard[2] == ("warning", groups)
    assert "14 groups" in groups
    assert heard[3][1] == EPOCHS
    for number, (_, epoch, metrics) in enumerate(heard[4:-2]):
        assert epoch == number
        assert metrics == {name: v[number] for name, v in result.history.metrics.items()}
    assert heard[-2][1:] == (result.history, False)
    assert heard[-1] == ("warning", precision)
    assert "540 test images" in precision


def test_every_phase_has_its_seconds(tutorial: SimpleNamespace) -> None:
    seconds = tutorial.result.seconds
    phases = ["data", "load Keras", "build", "compile", "fit", "evaluate", "export"]
    assert list(seconds) == phases
    assert all(value >= 0 for value in seconds.values())
    kept = json.loads((tutorial.result.run_folder / "metrics.json").read_text(encoding="utf-8"))
    assert kept["seconds"] == seconds


# The saved model

PLAIN_KERAS = """
import sys

import keras
import numpy as np
from sklearn.datasets import load_digits

images = load_digits().images[..., np.newaxis]
for folder, rows, out in zip(*[iter(sys.argv[1:])] * 3):
    model = keras.saving.load_model(f"{folder}/model.keras")
    np.save(out, model.predict(images[np.load(rows)], verbose=0))
assert not [name for name in sys.modules if name.startswith("clearcnn")]
"""


def test_plain_keras_predicts_the_same_without_clearcnn(
    tutorial: SimpleNamespace, tutorial_rows: SimpleNamespace, tmp_path: Path
) -> None:
    default = clearcnn.train("digits", epochs=2, out=tmp_path / "default")
    words = []
    for folder in (tutorial.result.run_folder, default.run_folder):
        rows = [int(row["index"]) for row in read_table(folder / "predictions.csv")]
        np.save(tmp_path / f"{folder.name}-rows.npy", rows)
        words += [folder, tmp_path / f"{folder.name}-rows.npy", tmp_path / f"{folder.name}.npy"]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PLAIN_KERAS, *map(str, words)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        cwd=tmp_path,
        check=True,
    )
    for folder in (tutorial.result.run_folder, default.run_folder):
        found = np.load(tmp_path / f"{folder.name}.npy")
        kept = read_probabilities(folder / "predictions.csv")
        temperature = read_bundle(folder).manifest.confidence.temperature
        logits = np.log(np.maximum(found.astype(np.float64), np.finfo(np.float32).eps))
        calibrated = softmax(logits / temperature, axis=1)
        np.testing.assert_allclose(calibrated, kept, atol=1e-5, rtol=0)
    # The default recipe's split is stratified.
    stratified = train_test_split(
        np.arange(1797), test_size=0.3, random_state=777, stratify=load_digits().target
    )[1]
    rows = [int(row["index"]) for row in read_table(default.run_folder / "predictions.csv")]
    assert rows == stratified.tolist()
    assert default.train.augmentation is not None


@pytest.mark.release
def test_the_same_seed_gives_the_same_bits_and_another_does_not(
    noise: Any, flat: ModelSpec, tmp_path: Path
) -> None:
    # The splits are given, so the seed does not change the test set.
    images = noise(parts=(36, 12, 12))
    seeds = {"first": 5, "again": 5, "other": 6}
    for name, seed in seeds.items():
        clearcnn.train(images, model=flat, epochs=2, seed=seed, out=tmp_path / name)
    kept = {name: (tmp_path / name / "predictions.csv").read_bytes() for name in seeds}
    history = {name: (tmp_path / name / "history.csv").read_bytes() for name in seeds}
    assert kept["first"] == kept["again"]
    assert history["first"] == history["again"]
    assert kept["first"] != kept["other"]
    indices = {
        name: [r["index"] for r in read_table(tmp_path / name / "predictions.csv")]
        for name in seeds
    }
    assert indices["first"] == indices["other"] == [str(row) for row in range(48, 60)]
