"""The whole journey of `train`, held against scikit-learn's split and plain Keras."""

import csv
import dataclasses
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
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import clearcnn
from clearcnn import models
from clearcnn.bundle import read_bundle
from clearcnn.errors import BundleError, DataError, LayerError, SpecError
from clearcnn.models import Recipe, read_model
from clearcnn.specs import LayerSpec, ModelSpec, TrainSpec

FILES = {
    "model.keras",
    "model.toml",
    "bundle.json",
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
def lesson_rows() -> SimpleNamespace:
    """The rows of the lesson's split: scikit-learn's, then Keras's `validation_split=0.2`."""
    rest, test = train_test_split(np.arange(1797), test_size=0.3, random_state=777)
    return SimpleNamespace(train=rest[:-252], validation=rest[-252:], test=test)


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: Any, make_ear: Any, spying: Any) -> Iterator[SimpleNamespace]:
    """One run of the tutorial on the digits, and all that was heard and seen of it."""
    home = tmp_path_factory.mktemp("lesson")
    ear = make_ear()
    with spying() as spy, pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        result = clearcnn.train("digits", recipe="tutorial", epochs=EPOCHS, listener=ear)
    yield SimpleNamespace(home=home, result=result, ear=ear, fits=spy.calls)


@pytest.fixture(scope="module")
def predictions(lesson: SimpleNamespace) -> list[dict[str, str]]:
    return read_table(lesson.result.run_folder / "predictions.csv")


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def read_probabilities(path: Path) -> np.ndarray:
    rows = read_table(path)
    columns = [name for name in rows[0] if name.startswith("probability_")]
    return np.array([[float(row[name]) for name in columns] for row in rows], np.float32)


def files_in(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


# The lesson, exactly


def test_the_data_are_the_lessons(lesson: SimpleNamespace) -> None:
    data = lesson.result.data
    assert data.shape == (1797, 8, 8)
    assert (data.train, data.validation, data.test) == (1005, 252, 540)
    assert data.value_range == data.observed_range == (0.0, 16.0)
    counts = np.bincount(load_digits().target)
    assert [each.total for each in data.classes] == counts.tolist()
    assert [each.name for each in data.classes] == list("0123456789")
    for each in data.classes:
        assert each.train + each.validation + each.test == each.total


def test_fit_receives_raw_training_and_validation_images_and_never_the_test(
    lesson: SimpleNamespace, lesson_rows: SimpleNamespace
) -> None:
    digits = load_digits()
    (call,) = lesson.fits
    validation_x, validation_y = call["validation_data"]
    np.testing.assert_array_equal(call["x"][..., 0], digits.images[lesson_rows.train])
    np.testing.assert_array_equal(validation_x[..., 0], digits.images[lesson_rows.validation])
    np.testing.assert_array_equal(call["y"], np.eye(10)[digits.target[lesson_rows.train]])
    np.testing.assert_array_equal(validation_y, np.eye(10)[digits.target[lesson_rows.validation]])
    # No two digits are alike, so pixels tell whether a test image came along somewhere.
    test = {image.tobytes() for image in digits.images[lesson_rows.test].astype(np.float64)}
    seen = np.concatenate([call["x"], validation_x])[..., 0].astype(np.float64)
    assert len(test) == 540
    assert not test & {image.tobytes() for image in seen}


def test_the_training_is_the_lessons(lesson: SimpleNamespace) -> None:
    (call,) = lesson.fits
    assert (call["batch_size"], call["epochs"]) == (50, EPOCHS)
    optimizer = call["model"].optimizer
    assert type(optimizer).__name__ == "Adam"
    assert float(optimizer.learning_rate) == pytest.approx(0.001)
    assert int(optimizer.iterations) == EPOCHS * 21
    layers = [type(layer).__name__ for layer in call["model"].layers]
    assert layers == ["Conv2D", "Activation", "MaxPooling2D", "Flatten", "Dense", "Dense"]


def test_test_rows_are_those_of_scikit_learn(
    predictions: list[dict[str, str]], lesson_rows: SimpleNamespace
) -> None:
    assert [int(row["index"]) for row in predictions] == lesson_rows.test.tolist()
    truth = load_digits().target[lesson_rows.test]
    assert [int(row["label"]) for row in predictions] == truth.tolist()


def test_six_epochs_learn_something(lesson: SimpleNamespace) -> None:
    losses = lesson.result.history.metrics["loss"]
    assert losses[-1] < losses[0] / 4
    assert lesson.result.test.score.accuracy > 0.8


# What is kept


def test_the_run_folder_is_whole_and_alone(lesson: SimpleNamespace) -> None:
    folder = lesson.result.run_folder
    assert folder.is_absolute()
    assert list((lesson.home / "runs").iterdir()) == [folder]
    assert folder.name.startswith("digits-")
    assert files_in(folder) == FILES
    assert read_bundle(folder).manifest.class_names == tuple("0123456789")


def test_hashes_are_those_of_the_files(lesson: SimpleNamespace) -> None:
    folder = lesson.result.run_folder
    listed = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))["files"]
    assert set(listed) == FILES - {"bundle.json"}
    for name, entry in listed.items():
        content = (folder / name).read_bytes()
        assert entry == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}


def test_the_manifest_says_what_was_asked_for_and_what_goes_in(lesson: SimpleNamespace) -> None:
    manifest = read_bundle(lesson.result.run_folder).manifest
    result = lesson.result
    assert (manifest.split, manifest.train) == (result.split, result.train)
    assert manifest.data.source == "digits"
    assert manifest.content_hash == clearcnn.load("digits").content_hash
    assert manifest.input.shape == (8, 8, 1)
    assert manifest.input.value_range == (0.0, 16.0)
    assert manifest.input.color_mode == "grayscale"
    assert manifest.input.polarity == "light_on_dark"


def test_history_csv_is_the_history(lesson: SimpleNamespace) -> None:
    rows = read_table(lesson.result.run_folder / "history.csv")
    metrics = lesson.result.history.metrics
    assert list(metrics) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert list(rows[0]) == ["epoch", *metrics]
    assert [row["epoch"] for row in rows] == [str(k + 1) for k in range(EPOCHS)]
    for name, values in metrics.items():
        assert [float(row[name]) for row in rows] == list(values)


def test_metrics_json_and_predictions_csv_agree(
    lesson: SimpleNamespace, predictions: list[dict[str, str]]
) -> None:
    kept = json.loads((lesson.result.run_folder / "metrics.json").read_text(encoding="utf-8"))
    right = [row["label"] == row["prediction"] for row in predictions]
    assert [row["correct"] == "true" for row in predictions] == right
    score = kept["test"]["score"]
    assert (score["correct"], score["total"]) == (sum(right), 540)
    assert score["accuracy"] == pytest.approx(np.mean(right))
    assert lesson.result.test.score.correct == sum(right)
    probabilities = read_probabilities(lesson.result.run_folder / "predictions.csv")
    assert [str(k) for k in probabilities.argmax(axis=1)] == [r["prediction"] for r in predictions]


def test_model_toml_reads_back_as_the_model(lesson: SimpleNamespace) -> None:
    spec = read_model(lesson.result.run_folder / "model.toml")
    assert spec == lesson.result.model_spec
    kept = read_bundle(lesson.result.run_folder).manifest.model
    assert models.write_model(kept) == models.write_model(spec)


def test_the_report_tells_the_accuracy(lesson: SimpleNamespace) -> None:
    page = (lesson.result.run_folder / "report.html").read_text(encoding="utf-8")
    score = lesson.result.test.score
    assert f"{score.correct} of 540 test images right" in page
    assert f"{100 * score.correct / 540:.1f}" in page
    command = f"clearcnn.train('digits', recipe='tutorial', epochs={EPOCHS}, seed=777)"
    assert command in html.unescape(page)


def test_the_listener_hears_everything_in_order(lesson: SimpleNamespace) -> None:
    result, heard = lesson.result, lesson.ear.heard
    assert lesson.ear.names == ["data", "model", "begin", *["epoch"] * EPOCHS, "end"]
    assert heard[0][1:] == (result.data, result.run_folder / "figures" / "data.png")
    assert heard[1][1] == result.model
    assert heard[2][1] == EPOCHS
    for number, (_, epoch, metrics) in enumerate(heard[3:-1]):
        assert epoch == number
        assert metrics == {name: v[number] for name, v in result.history.metrics.items()}
    assert heard[-1][1:] == (result.history, False)


def test_every_phase_has_its_seconds(lesson: SimpleNamespace) -> None:
    seconds = lesson.result.seconds
    assert list(seconds) == ["data", "load Keras", "build", "compile", "fit", "evaluate"]
    assert all(value >= 0 for value in seconds.values())
    kept = json.loads((lesson.result.run_folder / "metrics.json").read_text(encoding="utf-8"))
    assert kept["seconds"] == seconds


# The model that is kept

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
    lesson: SimpleNamespace, lesson_rows: SimpleNamespace, tmp_path: Path
) -> None:
    default = clearcnn.train("digits", epochs=1, batch_size=256, out=tmp_path / "default")
    words = []
    for folder in (lesson.result.run_folder, default.run_folder):
        rows = [int(row["index"]) for row in read_table(folder / "predictions.csv")]
        np.save(tmp_path / f"{folder.name}-rows.npy", rows)
        words += [folder, tmp_path / f"{folder.name}-rows.npy", tmp_path / f"{folder.name}.npy"]
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PLAIN_KERAS, *map(str, words)],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        cwd=tmp_path,
        check=True,
    )
    for folder in (lesson.result.run_folder, default.run_folder):
        found = np.load(tmp_path / f"{folder.name}.npy")
        kept = read_probabilities(folder / "predictions.csv")
        np.testing.assert_allclose(found, kept, atol=1e-5, rtol=0)
    # The other recipe draws its test part with every class's share kept.
    stratified = train_test_split(
        np.arange(1797), test_size=0.3, random_state=777, stratify=load_digits().target
    )[1]
    rows = [int(row["index"]) for row in read_table(default.run_folder / "predictions.csv")]
    assert rows == stratified.tolist()
    assert default.train.augmentation is not None


def test_the_same_seed_gives_the_same_bits_and_another_does_not(
    noise: Any, flat: ModelSpec, tmp_path: Path
) -> None:
    # The parts are given, so that the seed has no say in who is tested.
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


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, flat: ModelSpec) -> None:
    """A recipe that learns noise by heart, so that validation soon grows worse."""
    recipe = Recipe(
        "impatient",
        "stratified",
        lambda *_: flat,
        lambda _, seed: TrainSpec(epochs=40, batch_size=8, learning_rate=0.05, patience=3),
    )
    monkeypatch.setitem(models.RECIPES, "impatient", recipe)


def test_early_stopping_keeps_the_best_epoch(impatient: None, noise: Any, tmp_path: Path) -> None:
    import keras

    images = noise(parts=(36, 12, 12))
    result = clearcnn.train(images, recipe="impatient", out=tmp_path / "run")
    losses = result.history.metrics["val_loss"]
    assert result.history.best_epoch == int(np.argmin(losses))
    assert result.history.num_epochs == result.history.best_epoch + 1 + 3 < 40
    assert not result.interrupted
    model = keras.saving.load_model(result.run_folder / "model.keras")
    probabilities = model.predict(images.images[36:48], verbose=0)
    likelihoods = probabilities[np.arange(12), images.labels[36:48]]
    loss = -np.log(np.clip(likelihoods, 1e-7, 1)).mean()
    assert loss == pytest.approx(losses[result.history.best_epoch], rel=1e-4)
    assert loss != pytest.approx(losses[-1], rel=1e-2)


def test_without_validation_every_epoch_is_trained_and_a_warning_says_so(
    impatient: None, noise: Any, make_ear: Any, tmp_path: Path
) -> None:
    ear = make_ear()
    images = noise(parts=(48, 0, 12))
    result = clearcnn.train(
        images,
        recipe="impatient",
        validation_fraction=0,
        epochs=5,
        out=tmp_path / "run",
        listener=ear,
    )
    assert list(result.history.metrics) == ["accuracy", "loss"]
    assert (result.history.num_epochs, result.history.best_epoch) == (5, 4)
    assert (result.data.train, result.data.validation) == (48, 0)
    (sentence,) = result.warnings
    assert "no validation part" in sentence
    assert ear.heard[2] == ("warning", sentence)
    assert sentence in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert read_bundle(tmp_path / "run").manifest.warnings == (sentence,)


# What may be asked for


def test_a_model_may_be_a_spec_a_path_or_its_text(
    noise: Any, flat: ModelSpec, tmp_path: Path, fit_spy: Any
) -> None:
    images = noise()
    file = tmp_path / "mine.toml"
    file.write_text(models.write_model(flat), encoding="utf-8")
    for number, model in enumerate((flat, file, str(file))):
        result = clearcnn.train(images, model=model, epochs=1, out=tmp_path / str(number))
        assert result.model_spec == flat
        assert [layer.layer for layer in result.model.layers] == ["Flatten", "Dense"]
        assert result.model.parameters == 5 * 4 * 3 + 3
        assert read_model(tmp_path / str(number) / "model.toml") == flat
    trained = [type(layer).__name__ for layer in fit_spy.calls[0]["model"].layers]
    # The model is the user's, how it is trained stays the recipe's.
    assert trained == ["RandomAffine", "Flatten", "Dense"]


def test_arguments_win_over_the_recipe(noise: Any, flat: ModelSpec, tmp_path: Path) -> None:
    result = clearcnn.train(
        noise(90),
        model=flat,
        recipe="tutorial",
        epochs=2,
        batch_size=7,
        learning_rate=0.5,
        seed=3,
        split="stratified",
        test_fraction=0.2,
        validation_fraction=0.25,
        out=tmp_path / "run",
        command="do it again",
    )
    assert result.train == TrainSpec(epochs=2, batch_size=7, learning_rate=0.5, seed=3)
    assert dataclasses.astuple(result.split) == ("stratified", 0.2, 0.25, 3)
    assert (result.data.train, result.data.validation, result.data.test) == (54, 18, 18)
    for each in result.data.classes:
        assert (each.train, each.validation, each.test) == (18, 6, 6)
    assert "do it again" in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")


def test_loaded_images_train_as_they_are(
    noise: Any, flat: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    images = noise(parts=(36, 12, 12))
    result = clearcnn.train(images, model=flat, epochs=1)
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("noise-")
    assert result.data.content_hash == images.content_hash
    rows = read_table(folder / "predictions.csv")
    assert [row["name"] for row in rows] == list(images.names[48:])
    truth = [images.class_names[k] for k in images.labels[48:]]
    assert [row["label"] for row in rows] == truth
    assert list(rows[0])[-3:] == ["probability_1", "probability_2", "probability_10"]


# What is refused, before anything is trained


def test_a_taken_place_is_refused_before_anything_is_read(
    fit_spy: Any, make_ear: Any, tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "letter.txt").write_text("mine", encoding="utf-8")
    ear = make_ear()
    with pytest.raises(BundleError, match="not empty"):
        clearcnn.train("no such source", out=taken, listener=ear)
    assert ear.heard == fit_spy.calls == []
    assert files_in(tmp_path) == {"taken/letter.txt"}


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ({"source": "digit"}, DataError, "digit"),
        ({"recipe": "defalt"}, SpecError, "did you mean 'default'"),
        ({"split": "sorted"}, SpecError, "split='sorted'"),
        ({"epochs": 0}, SpecError, "epochs=0"),
        ({"test_fraction": 1.0}, SpecError, "test_fraction"),
        ({"seed": -1}, SpecError, "seed=-1"),
        ({"model": "missing.toml"}, SpecError, "missing.toml"),
        (
            {"model": ModelSpec("bare", (LayerSpec("Flatten"), LayerSpec("Dense", {"units": 9})))},
            LayerError,
            "10 classes",
        ),
    ],
    ids=["source", "recipe", "split", "epochs", "fraction", "seed", "file", "layers"],
)
def test_what_cannot_be_leaves_nothing(
    arguments: dict[str, Any],
    error: type[Exception],
    match: str,
    fit_spy: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=match):
        clearcnn.train(**arguments)
    assert fit_spy.calls == []
    assert list(tmp_path.iterdir()) == []


def test_a_training_without_finite_probabilities_leaves_nothing(
    noise: Any, flat: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    nan = np.full((12, 3), np.nan, np.float32)
    monkeypatch.setattr("keras.Sequential.predict", lambda *_, **__: nan)
    with pytest.raises(SpecError, match="probabilities are none"):
        clearcnn.train(noise(parts=(36, 12, 12)), model=flat, epochs=1)
    assert list(tmp_path.iterdir()) == []
