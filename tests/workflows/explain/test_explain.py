"""`explain`, end to end on a run of two epochs: its values are correct, the run is unchanged."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearcnn
from clearcnn import bundle
from clearcnn.backend import load_keras
from clearcnn.errors import BundleError, DataError

DIGITS = clearcnn.load("digits")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "digits"
    return clearcnn.train("digits", recipe="tutorial", epochs=8, seed=1, out=folder).run_folder


@pytest.fixture(scope="module")
def metrics(run):
    return json.loads((run / "metrics.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def mistake(run, metrics):
    row = metrics["test"]["mistakes"][0]["index"]
    return clearcnn.explain(run, row)


def save_digit(path: Path, row: int, *, inverted: bool = False) -> Path:
    pixels = np.rint(DIGITS.images[row, ..., 0] * (255 / 16)).astype(np.uint8)
    Image.fromarray(255 - pixels if inverted else pixels).save(path)
    return path


def write_classes(folder: Path) -> None:
    """Two classes of coloured noise, one reddish and one bluish, 8×10 pixels."""
    random = np.random.default_rng(0)
    for name, bright in (("a", 0), ("b", 2)):
        (folder / name).mkdir(parents=True)
        for number in range(12):
            pixels = random.integers(0, 120, (8, 10, 3), np.uint8)
            pixels[..., bright] += 100
            Image.fromarray(pixels).save(folder / name / f"{number}.png")


def test_an_image_of_the_source_is_explained_by_its_name(tmp_path):
    write_classes(tmp_path / "photos")
    run = clearcnn.train(tmp_path / "photos", epochs=1, out=tmp_path / "run").run_folder
    found = clearcnn.explain(run, "b/3.png")
    assert (found.image.name, found.image.label) == ("b/3.png", "b")
    assert found.image.row is not None
    # A file at that path comes first.
    by_file = clearcnn.explain(run, tmp_path / "photos" / "b" / "3.png")
    assert by_file.image.row is None
    with pytest.raises(DataError, match=r"b/30\.png"):
        clearcnn.explain(run, "b/30.png")
    # Nobody is told to remove photos.
    with pytest.raises(DataError, match="is a folder; one image was expected") as caught:
        clearcnn.explain(run, tmp_path / "photos")
    assert "emove" not in caught.value.remedy
    assert len(list((tmp_path / "photos" / "b").iterdir())) == 12


def test_the_confidence_is_that_of_predict(run, tmp_path):
    temperature = bundle.read_bundle(run).manifest.confidence.temperature
    assert temperature != 1
    path = save_digit(tmp_path / "digit.png", 41)
    explained = clearcnn.explain(run, path)
    (predicted,) = clearcnn.predict(run, path, top=10)
    assert explained.temperature == temperature
    for answer, told in zip(explained.answers, predicted.top, strict=True):
        assert answer.name == told.name
        assert answer.probability == pytest.approx(told.probability, abs=1e-5)


def test_a_mistake_of_the_report_is_explained_by_its_row(run, metrics, mistake):
    told = metrics["test"]["mistakes"][0]
    assert mistake.is_mistake
    assert (mistake.image.row, mistake.image.label) == (told["index"], told["label"])
    assert (mistake.image.part, mistake.prediction) == ("test", told["prediction"])
    assert mistake.answers[0].probability == pytest.approx(told["confidence"], rel=1e-4)
    assert sum(answer.probability for answer in mistake.answers) == pytest.approx(1, abs=1e-5)
    assert mistake.folder == run.with_name(f"digits-explained-{told['index']}")
    assert mistake.warnings == ()


def test_the_folder_is_complete_and_the_run_is_unchanged(run, mistake):
    assert bundle.read_bundle(run).manifest.class_names == mistake_classes(mistake)
    names = sorted(path.relative_to(mistake.folder).as_posix() for path in walk(mistake.folder))
    assert {"explanation.html", "explanation.json", "figures/picture.png"} <= set(names)
    wide = {"layer-01-conv2d.png": 1280, "layer-01-conv2d-filters.png": 1280, "gradient.png": 640}
    for name, width in wide.items():
        with Image.open(mistake.folder / "figures" / name) as picture:
            assert picture.width == width
            assert len(picture.convert("RGB").getcolors(10**6)) > 5
    said = json.loads((mistake.folder / "explanation.json").read_text(encoding="utf-8"))
    assert said["answers"][0]["name"] == mistake.prediction
    assert np.shape(said["gradient"]["values"]) == np.shape(said["occlusion"]["values"]) == (8, 8)


def walk(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def mistake_classes(result) -> tuple[str, ...]:
    return tuple(sorted(answer.name for answer in result.answers))


def test_the_layers_are_those_of_the_model_table(metrics, mistake):
    assert [each.summary.name for each in mistake.layers] == [
        layer["name"] for layer in metrics["model_summary"]["layers"]
    ]
    relu = mistake.layers[1]
    assert relu.low == 0
    assert 0 < relu.zero_fraction < 1
    assert mistake.convolution.result == pytest.approx(mistake.convolution.keras, rel=1e-5)
    assert mistake.pooling.result == mistake.pooling.keras


def test_neighbours_are_those_of_keras_and_scikit_learn(run, mistake):
    from sklearn.neighbors import NearestNeighbors

    keras = load_keras()
    model = keras.saving.load_model(run / "model.keras")
    features = keras.Model(model.inputs[0], model.layers[-1].input).predict(
        DIGITS.images.astype("float32"), verbose=0
    )
    manifest = bundle.read_bundle(run).manifest
    train = clearcnn.data.split(DIGITS, manifest.split).train
    near = NearestNeighbors(n_neighbors=6).fit(features[train])
    distances, rows = near.kneighbors(features[[mistake.image.row]])
    assert [each.row for each in mistake.neighbours.train] == train[rows[0]].tolist()
    found = [each.distance for each in mistake.neighbours.train]
    np.testing.assert_allclose(found, distances[0], rtol=1e-3, atol=1e-3)


def test_the_closest_mistakes_are_mistakes_of_the_report_and_not_this_one(metrics, mistake):
    told = {each["index"]: each for each in metrics["test"]["mistakes"]}
    assert mistake.neighbours.num_mistakes == len(told)
    assert len(mistake.neighbours.mistakes) == min(6, len(told) - 1)
    for each in mistake.neighbours.mistakes:
        assert each.row != mistake.image.row
        assert (each.label, each.prediction) == (
            told[each.row]["label"],
            told[each.row]["prediction"],
        )


def test_maps_depend_on_the_weights(mistake):
    for pixel_map in (mistake.gradient, mistake.occlusion):
        assert len(pixel_map.sanity.correlations) == 5
        assert pixel_map.sanity.verdict == "passed"
        assert max(map(abs, pixel_map.sanity.correlations)) < 0.9
    assert mistake.occlusion.fill == (0.0,)
    assert mistake.occlusion.fill_source == "the ground of the training images"


def test_the_same_seed_gives_the_same_maps_and_a_new_folder(run, mistake):
    again = clearcnn.explain(run, str(mistake.image.row))
    assert again.gradient == mistake.gradient
    assert again.folder.name == f"{mistake.folder.name}-2"
    other = clearcnn.explain(run, mistake.image.row, seed=1)
    assert other.gradient.values != mistake.gradient.values


def test_an_image_file_is_read_like_its_row_in_the_source(run, tmp_path):
    by_row = clearcnn.explain(run, 25, out=tmp_path / "row")
    by_file = clearcnn.explain(run, save_digit(tmp_path / "25.png", 25), out=tmp_path / "file")
    assert by_file.answers == by_row.answers
    assert by_file.gradient.values == by_row.gradient.values
    assert (by_file.image.row, by_file.image.label) == (None, None)
    assert "scaled to 0 to 16" in by_file.image.preparation[0]


def test_the_opposite_polarity_is_a_warning_and_inverted_on_request(run, tmp_path):
    picture = save_digit(tmp_path / "dark.png", 25, inverted=True)
    told = clearcnn.explain(run, picture, out=tmp_path / "as-it-is")
    assert "dark on light" in told.warnings[0]
    assert "--invert" in told.warnings[0]
    turned = clearcnn.explain(run, picture, invert=True, out=tmp_path / "inverted")
    assert not any("dark on light" in warning for warning in turned.warnings)
    assert turned.answers == clearcnn.explain(run, 25, out=tmp_path / "row").answers


def test_a_duplicate_of_a_training_image_is_a_warning(run, tmp_path):
    manifest = bundle.read_bundle(run).manifest
    row = int(clearcnn.data.split(DIGITS, manifest.split).train[3])
    told = clearcnn.explain(run, save_digit(tmp_path / "known.png", row), out=tmp_path / "x")
    assert f"duplicate of a training image (row {row})" in told.warnings[0]


@pytest.mark.release
def test_without_its_source_only_the_neighbours_are_left_out(tmp_path):
    write_classes(tmp_path / "shapes")
    run = clearcnn.train(
        tmp_path / "shapes", recipe="tutorial", epochs=1, out=tmp_path / "run"
    ).run_folder
    picture = tmp_path / "one.png"
    shutil.copy(tmp_path / "shapes" / "a" / "0.png", picture)
    shutil.rmtree(tmp_path / "shapes" / "b")
    for told in (
        clearcnn.explain(run, picture, out=tmp_path / "gone"),
        clearcnn.explain(run, picture),
    ):
        assert told.neighbours is None
        assert "could not be read" in told.warnings[-1]
        assert told.occlusion.fill_source == "the median of this image's border"
    with pytest.raises(DataError, match="cannot be read from the run's source"):
        clearcnn.explain(run, 0)


def test_a_changed_source_is_not_used(tmp_path):
    write_classes(tmp_path / "shapes")
    run = clearcnn.train(
        tmp_path / "shapes", recipe="tutorial", epochs=1, out=tmp_path / "run"
    ).run_folder
    Image.new("RGB", (10, 8), "red").save(tmp_path / "shapes" / "a" / "0.png")
    told = clearcnn.explain(run, tmp_path / "shapes" / "a" / "1.png")
    assert "are not the images that" in told.warnings[-1]
    assert told.neighbours is None


@pytest.mark.parametrize("image", [1797, "9999", -1, "nowhere.png"])
def test_a_missing_image_is_an_error_and_leaves_nothing(run, image, tmp_path):
    with pytest.raises(DataError):
        clearcnn.explain(run, image, out=tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


def test_the_run_folder_is_never_written_to(run):
    with pytest.raises(BundleError, match="must not change"):
        clearcnn.explain(run, 0, out=run / "figures" / "explained")
