"""Options of `train`, early stopping, and rejected input."""

import csv
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clearcnn
from clearcnn import models
from clearcnn.bundle import read_bundle
from clearcnn.errors import BundleError, DataError, LayerError, SpecError
from clearcnn.models import Recipe, read_model
from clearcnn.specs import LayerSpec, ModelSpec, TrainSpec


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch, flat: ModelSpec) -> None:
    """A recipe that memorizes noise, so that the validation loss soon grows."""
    recipe = Recipe(
        "impatient",
        "stratified",
        0.2,
        lambda *_: flat,
        lambda *_: TrainSpec(epochs=40, batch_size=8, learning_rate=0.05, patience=3),
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


def test_without_validation_every_epoch_is_trained_with_a_warning(
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
    sentence, precision = result.warnings
    assert "no validation set" in sentence
    assert "12 test images" in precision
    assert ear.heard[2] == ("warning", sentence)
    assert sentence in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert read_bundle(tmp_path / "run").manifest.warnings == (sentence, precision)


# Options


def test_a_model_may_be_a_spec_a_path_or_its_text(
    noise: Any, flat: ModelSpec, tmp_path: Path, fit_spy: Any
) -> None:
    images = noise()
    file = tmp_path / "mine.toml"
    file.write_text(models.write_model(flat), encoding="utf-8")
    for number, model in enumerate((flat, file, str(file))):
        result = clearcnn.train(images, model=model, epochs=1, out=tmp_path / str(number))
        assert result.model_spec == flat
        assert [layer.layer for layer in result.model_summary.layers] == ["Flatten", "Dense"]
        assert result.model_summary.parameters == 5 * 4 * 3 + 3
        assert read_model(tmp_path / str(number) / "model.toml") == flat
    trained = [type(layer).__name__ for layer in fit_spy.calls[0]["model"].layers]
    # The user's model, trained with the recipe's settings.
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


@pytest.mark.parametrize(("total", "fraction"), [(120, 0.2), (3_000, 0.1)])
def test_the_run_names_the_validation_fraction_that_was_chosen(
    total: int, fraction: float, noise: Any, flat: ModelSpec, tmp_path: Path
) -> None:
    images = noise(total)
    result = clearcnn.train(images, model=flat, epochs=1, out=tmp_path / "run")
    rest = total - result.data.test
    assert result.data.validation == pytest.approx(fraction * rest, abs=1)
    assert read_bundle(tmp_path / "run").manifest.split == result.split
    assert result.split.validation_fraction == fraction


def test_loaded_images_are_trained_on_unchanged(
    noise: Any, flat: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    images = noise(parts=(36, 12, 12))
    result = clearcnn.train(images, model=flat, epochs=1)
    (folder,) = (tmp_path / "runs").iterdir()
    assert folder.name.startswith("noise-")
    assert result.data.content_hash == images.content_hash
    with (folder / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == list(images.names[48:])
    truth = [images.class_names[k] for k in images.labels[48:]]
    assert [row["label"] for row in rows] == truth
    assert list(rows[0])[-3:] == ["probability_1", "probability_2", "probability_10"]


# Input rejected before any training


def test_an_existing_folder_is_rejected_before_reading(
    fit_spy: Any, make_ear: Any, tmp_path: Path
) -> None:
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "letter.txt").write_text("mine", encoding="utf-8")
    ear = make_ear()
    with pytest.raises(BundleError, match="not empty"):
        clearcnn.train("no such source", out=taken, listener=ear)
    assert ear.heard == fit_spy.calls == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [taken / "letter.txt"]


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
def test_invalid_input_leaves_nothing(
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
    monkeypatch.setattr("clearcnn.training.predict", lambda *_: nan)
    with pytest.raises(SpecError, match="are not valid probabilities"):
        clearcnn.train(noise(parts=(36, 12, 12)), model=flat, epochs=1)
    assert list(tmp_path.iterdir()) == []
