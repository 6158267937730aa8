"""Predictions for image files, against Keras on the arrays that training reads."""

import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy.special import softmax

import clearcnn
from clearcnn import bundle
from clearcnn.backend import load_keras
from clearcnn.bundle import read_bundle
from clearcnn.data import infer_polarity
from clearcnn.errors import BundleError, DataError, ExportError, SpecError
from clearcnn.workflows.predict.predict import flag_ood
from clearcnn.workflows.runs.load_onnx_model import open_model

DIGITS = clearcnn.load("digits")
RANDOM = np.random.default_rng(0)


def save_digit(path: Path, row: int, *, inverted: bool = False) -> Path:
    pixels = np.rint(DIGITS.images[row, ..., 0] * (255 / 16)).astype(np.uint8)
    Image.fromarray(255 - pixels if inverted else pixels).save(path)
    return path


def write_coloured(folder: Path) -> None:
    """Class folders of every kind of 8-bit image file, of several sizes."""
    for name, shift in (("red", 0), ("blue", 90)):
        (folder / name).mkdir(parents=True)
        for number in range(16):
            size = (12 + number % 3, 10, 4 if number % 4 == 2 else 3)
            pixels = RANDOM.integers(0, 150, size, np.uint8)
            pixels[..., 0 if shift else 2] += np.uint8(shift)
            if number % 4 == 3:
                pixels = pixels[..., 0]
            ending = ("png", "jpg", "png", "bmp")[number % 4]
            Image.fromarray(pixels).save(folder / name / f"{number}.{ending}")


def write_deep(folder: Path) -> None:
    """Class folders of 16-bit greyscale images, and some of 8 bits."""
    for name, most in (("dark", 20_000), ("light", 60_000)):
        (folder / name).mkdir(parents=True)
        for number in range(16):
            pixels = RANDOM.integers(0, most, (9, 9), np.uint16)
            if number % 4 == 3:
                pixels = (pixels >> 8).astype(np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("digits") / "run"
    return clearcnn.train("digits", epochs=3, out=place).run_folder


@pytest.mark.parametrize("write", [write_coloured, write_deep])
def test_predictions_are_those_of_keras_on_the_training_arrays(write: Any, tmp_path: Path) -> None:
    write(tmp_path / "all")
    trained = clearcnn.train(tmp_path / "all", epochs=1, out=tmp_path / "run")
    run = trained.run_folder
    images = clearcnn.load(tmp_path / "all")
    network = load_keras().saving.load_model(run / "model.keras")
    temperature = read_bundle(run).manifest.confidence.temperature
    plain = np.maximum(network.predict(images.images, verbose=0), np.finfo(np.float32).eps)
    expected = softmax(np.log(plain.astype(np.float64)) / temperature, axis=1)

    files = [tmp_path / "all" / name for name in images.names]
    found = list(clearcnn.predict(run, files, top=9))
    assert [each.name for each in found] == [str(path) for path in files]
    for each, chances in zip(found, expected, strict=True):
        assert each.error is None
        named = {top.name: top.probability for top in each.top}
        told = [named[name] for name in images.class_names]
        np.testing.assert_allclose(told, chances, rtol=0, atol=1e-5)
        assert each.prediction == images.class_names[chances.argmax()]
        assert each.confidence == max(told) == each.top[0].probability
    assert any("Resized" in sentence for sentence in found[0].preparation) == (
        write is write_coloured
    )


def test_a_folder_is_predicted_in_natural_order_with_its_bad_files(
    run: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    (folder / "b").mkdir(parents=True)
    for row in (0, 1, 2, 10):
        save_digit(folder / f"{row}.png", row)
    save_digit(folder / "b" / "3.png", 3)
    (folder / "9.png").write_bytes((folder / "1.png").read_bytes()[:-20])
    (folder / "11.jpg").write_bytes(b"")
    found = list(clearcnn.predict(run, folder))
    names = [Path(each.name).relative_to(folder).as_posix() for each in found]
    assert names == ["0.png", "1.png", "2.png", "9.png", "10.png", "11.jpg", "b/3.png"]
    assert [each.error is not None for each in found] == [n in ("9.png", "11.jpg") for n in names]
    for each in found:
        if each.error is not None:
            assert each.name in each.error
            assert (each.prediction, each.confidence, each.top) == (None, None, ())
    alone = list(clearcnn.predict(run, folder / "10.png"))
    assert alone[0].top[0].probability == pytest.approx(found[4].confidence, abs=1e-5)


def test_an_image_given_twice_is_predicted_once(run: Path, tmp_path: Path) -> None:
    save_digit(tmp_path / "a.png", 0)
    assert len(list(clearcnn.predict(run, [tmp_path, tmp_path / "a.png"]))) == 1


def test_an_image_of_the_opposite_polarity_is_inverted(run: Path, tmp_path: Path) -> None:
    light = save_digit(tmp_path / "light.png", 25)
    dark = save_digit(tmp_path / "dark.png", 25, inverted=True)
    expected, found = clearcnn.predict(run, [light, dark])
    assert [t.name for t in found.top] == [t.name for t in expected.top]
    assert found.confidence == pytest.approx(expected.confidence, abs=1e-5)
    assert "Inverted: the image is" in found.preparation[-1]
    assert not any("Inverted" in sentence for sentence in expected.preparation)
    (kept,) = clearcnn.predict(run, dark, keep_polarity=True)
    assert not any("Inverted" in sentence for sentence in kept.preparation)
    assert kept.confidence != pytest.approx(expected.confidence, abs=1e-3)


def test_no_digit_is_inverted_by_mistake() -> None:
    seen = [infer_polarity(image[np.newaxis], DIGITS.value_range) for image in DIGITS.images]
    assert "dark_on_light" not in seen


def test_the_number_of_false_alarms_is_the_manifests(run: Path) -> None:
    model = open_model(run)
    manifest = model.manifest
    rows = clearcnn.data.split(DIGITS, manifest.split).validation
    answers = model.predictor.predict_with_distances(DIGITS.images[rows])
    fitted = manifest.confidence
    scores = answers.distances.min(axis=1) / answers.probabilities.max(axis=1)
    assert fitted.num_images == len(rows)
    assert fitted.false_alarms == (scores > fitted.distance_threshold).sum() == len(rows) // 100
    assert fitted.threshold is None
    assert fitted.false_alarm_rate == fitted.false_alarms / len(rows) <= 0.01


def test_few_test_images_and_most_ood_images_are_flagged(run: Path) -> None:
    model = open_model(run)
    test = DIGITS.images[clearcnn.data.split(DIGITS, model.manifest.split).test]
    shuffled = RANDOM.permuted(test.reshape(len(test), -1), axis=1).reshape(test.shape)
    strange = {
        "noise": RANDOM.integers(0, 17, test.shape, np.uint8),
        "shuffled": shuffled,
        "negative": 16 - test,
    }
    # One in a hundred of 252 images is an uncertain threshold, and the test set has 540.
    assert flag_ood(model, model.predictor.predict_with_distances(test)).sum() <= 16
    for name, images in strange.items():
        assert flag_ood(model, model.predictor.predict_with_distances(images)).mean() > 0.5, name


def test_images_beyond_the_threshold_are_flagged(run: Path, tmp_path: Path) -> None:
    Image.new("L", (8, 8), 90).save(tmp_path / "grey.png")
    for row in range(40):
        save_digit(tmp_path / f"{row}.png", row)
    found = list(clearcnn.predict(run, tmp_path))
    flagged = {Path(each.name).stem for each in found if each.is_unlike}
    assert "grey" in flagged
    assert len(flagged) < 10


def test_without_distances_the_confidence_decides(run: Path, tmp_path: Path) -> None:
    """Like runs of older versions, which have no distances."""
    old = copy_run(run, tmp_path / "old")
    threshold = 0.8

    def forget(values: Any) -> None:
        values["confidence"].pop("distance_threshold")
        values["confidence"]["threshold"] = threshold

    rewrite(old, forget)
    for row in range(40):
        save_digit(tmp_path / f"{row}.png", row)
    found = list(clearcnn.predict(old, [tmp_path / f"{row}.png" for row in range(40)]))
    assert all(each.is_unlike == (each.confidence < threshold) for each in found)
    assert {each.is_unlike for each in found} == {True, False}


def test_it_abstains_below_the_requested_confidence(run: Path, tmp_path: Path) -> None:
    for row in range(40):
        save_digit(tmp_path / f"{row}.png", row)
    sure = list(clearcnn.predict(run, tmp_path, top=2))
    limit = sorted(each.confidence for each in sure)[20]
    found = list(clearcnn.predict(run, tmp_path, top=2, abstain_below=limit))
    assert sum(each.abstained for each in found) == 20
    for each, before in zip(found, sure, strict=True):
        assert each.abstained == (before.confidence < limit)
        assert each.prediction == (None if each.abstained else before.prediction)
        assert each.top == before.top
        assert len(each.top) == 2


def test_stdin_is_one_image(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_digit(tmp_path / "5.png", 5)

    class Stdin:
        buffer = io.BytesIO(path.read_bytes())

    monkeypatch.setattr(sys, "stdin", Stdin)
    (found,) = clearcnn.predict(run, "-")
    (expected,) = clearcnn.predict(run, path)
    assert (found.name, found.top) == ("-", expected.top)
    (empty,) = clearcnn.predict(run, "-")
    assert "stdin has 0 bytes" in empty.error


def test_a_missing_file_is_an_error_in_its_prediction(run: Path, tmp_path: Path) -> None:
    there = save_digit(tmp_path / "1.png", 1)
    gone, found = clearcnn.predict(run, [tmp_path / "no.png", there])
    assert "cannot be opened" in gone.error
    assert found.error is None


@pytest.mark.parametrize(
    ("options", "files", "kind", "why"),
    [
        ({"top": 0}, ["1.png"], SpecError, "top is 0"),
        ({"abstain_below": 1.5}, ["1.png"], SpecError, "from 0 to 1"),
        ({"abstain_below": float("nan")}, ["1.png"], SpecError, "from 0 to 1"),
        ({}, [], DataError, "No image was given"),
        ({}, ["empty"], DataError, "has no image files"),
    ],
)
def test_invalid_arguments_raise_before_any_prediction(
    run: Path, tmp_path: Path, options: Any, files: list[str], kind: Any, why: str
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(kind, match=why):
        clearcnn.predict(run, [tmp_path / name for name in files], **options)


def copy_run(run: Path, place: Path) -> Path:
    return Path(shutil.copytree(run, place))


def rewrite(run: Path, change: Any) -> None:
    values = json.loads((run / "bundle.json").read_text(encoding="utf-8"))
    change(values)
    bundle.write_json(run / "bundle.json", values)


def test_without_a_temperature_probabilities_are_the_networks(run: Path, tmp_path: Path) -> None:
    """Like runs of older versions, and runs without a validation set."""
    old = copy_run(run, tmp_path / "old")
    rewrite(old, lambda values: values.pop("confidence"))
    picture = save_digit(tmp_path / "3.png", 3)
    assert read_bundle(old).manifest.confidence is None
    (found,) = clearcnn.predict(old, picture, top=10)
    network = load_keras().saving.load_model(run / "model.keras")
    expected = network.predict(DIGITS.images[[3]], verbose=0)[0]
    np.testing.assert_allclose(
        [each.probability for each in found.top], np.sort(expected)[::-1], rtol=0, atol=1e-5
    )
    assert not found.is_unlike


@pytest.mark.parametrize(
    ("parts", "num_images"), [((48, 0, 12), None), ((30, 18, 12), 18), ((40, 100, 10), 100)]
)
def test_the_validation_set_fits_temperature_and_threshold(
    noise: Any, flat: Any, tmp_path: Path, parts: tuple[int, int, int], num_images: int | None
) -> None:
    images = noise(n=sum(parts), parts=parts)
    trained = clearcnn.train(
        images, model=flat, epochs=1, validation_fraction=0, out=tmp_path / "run"
    )
    confidence = read_bundle(trained.run_folder).manifest.confidence
    if num_images is None:
        assert confidence is None
    else:
        assert confidence.num_images == num_images
        assert (confidence.threshold is None) == (num_images < 100)
        assert confidence.false_alarms == (None if num_images < 100 else 1)
        assert confidence.distance_threshold is None  # The one layer of `flat` has no features.


def test_only_the_model_file_must_be_intact(run: Path, tmp_path: Path) -> None:
    copied = copy_run(run, tmp_path / "copy")
    (copied / "report.html").unlink()
    open_model(copied)
    content = (copied / "model.onnx").read_bytes()
    (copied / "model.onnx").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(BundleError, match=r"model\.onnx has been altered"):
        open_model(copied)


def test_a_foreign_model_is_not_executed(run: Path, tmp_path: Path) -> None:
    import hashlib

    import onnx

    copied = copy_run(run, tmp_path / "copy")
    model = onnx.load(copied / "model.onnx")
    model.graph.node[0].op_type = "Loop"
    content = model.SerializeToString()
    (copied / "model.onnx").write_bytes(content)
    sealed = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    rewrite(copied, lambda values: values["files"].update({"model.onnx": sealed}))
    with pytest.raises(ExportError, match=r"not the network that bundle\.json describes"):
        open_model(copied)


def test_a_run_without_onnx_is_an_error(run: Path, tmp_path: Path) -> None:
    copied = copy_run(run, tmp_path / "copy")
    rewrite(copied, lambda values: values["files"].pop("model.onnx"))
    with pytest.raises(BundleError, match=r"has no model\.onnx"):
        clearcnn.predict(copied, tmp_path)


def test_evaluate_uses_the_same_temperature(run: Path, tmp_path: Path) -> None:
    reliability = clearcnn.evaluate(run, out=tmp_path / "evaluated").reliability
    model = open_model(run)
    rows = clearcnn.data.split(DIGITS, model.manifest.split).test
    chances = model.predictor.predict(DIGITS.images[rows]).astype(np.float64)
    assert reliability.temperature == model.manifest.confidence.temperature
    likelihood = chances[np.arange(len(rows)), DIGITS.labels[rows]]
    assert reliability.scaled_loss == pytest.approx(-np.log(likelihood).mean(), rel=1e-3)
    assert reliability.scaled.error != reliability.plain.error
