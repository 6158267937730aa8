import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.question import split_words
from PIL import Image
from sklearn.neighbors import NearestCentroid

from benchmarks import questions, workloads
from clearcnn import data
from clearcnn.models import summarize_model
from clearcnn.specs import LayerSpec, ModelSpec, SplitSpec

FOLDER = Path(questions.__file__).parent


@pytest.fixture(autouse=True)
def data_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workloads, "FOLDER", tmp_path)


def test_every_file_is_a_question_that_is_asked() -> None:
    found = {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    assert set(questions.NAMES) == found


@pytest.mark.parametrize("name", questions.NAMES)
def test_a_question_asks_and_its_contenders_are_there(name: str) -> None:
    module = questions.load(name)
    words, explanation = split_words(module)
    assert words.endswith("?")
    assert explanation
    contenders = module.QUESTION.contenders(True)
    names = [contender.name for contender in contenders]
    assert len(set(names)) == len(names)
    assert {peer for aim in module.QUESTION.aims for peer in aim.against} <= set(names)
    for contender in contenders:
        script = contender.command[0]
        assert script == "-m" or (FOLDER.parent / "contenders" / script).is_file()


def test_the_digits_are_parted_as_clearcnn_parts_them() -> None:
    stored = np.load(workloads.digits(quick=False).data)
    images = data.load("digits")
    parts = data.split(images, SplitSpec("random", seed=777))
    for part in ("train", "validation", "test"):
        rows = getattr(parts, part)
        assert np.array_equal(stored[f"x_{part}"], images.images[rows])
        assert np.array_equal(stored[f"y_{part}"], images.labels[rows])


def test_made_up_images_can_be_learned_but_not_by_their_means_alone() -> None:
    arrays = workloads.make_images(400, 200, (32, 32, 3))
    again = workloads.make_images(400, 200, (32, 32, 3))
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)
    x, y = arrays["x_train"].reshape(400, -1), arrays["y_train"]
    held_out = arrays["x_test"].reshape(200, -1)
    accuracy = NearestCentroid().fit(x, y).score(held_out, arrays["y_test"])
    assert 0.3 < accuracy < 0.9


@pytest.mark.parametrize(("side", "filters"), [(24, 16), (8, 128), (96, 8)])
def test_operations_are_three_forwards_less_the_gradient_of_the_images(
    side: int, filters: int
) -> None:
    def convolution(count: int) -> LayerSpec:
        return LayerSpec("Conv2D", {"filters": count, "kernel_size": 3, "padding": "same"})

    pooling = LayerSpec("MaxPooling2D", {"pool_size": 2})
    layers = (convolution(filters), pooling, convolution(2 * filters), pooling)
    spec = ModelSpec("growth", (*layers, LayerSpec("Flatten"), LayerSpec("Dense", {"units": 10})))
    summary = summarize_model(spec, (side, side, 1))
    expected = 2 * (3 * summary.multiply_adds - summary.layers[0].multiply_adds)
    growth: Any = questions.load("growth")
    assert growth.count_operations(side, filters, 100) == 100 * expected


def test_pictures_are_parted_as_clearcnn_parts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    random = np.random.default_rng(0)
    with zipfile.ZipFile(tmp_path / "leaves.zip", "w") as archive:
        for number in range(40):
            content = io.BytesIO()
            pixels = random.integers(0, 256, (17, 16, 3), np.uint8)
            Image.fromarray(pixels).save(content, "PNG")
            archive.writestr(f"{'ab'[number % 2]}/{number}.png", content.getvalue())
    monkeypatch.setattr(workloads, "PICTURES", tmp_path)
    workload = workloads.pictures("leaves.zip", quick=False)
    assert workload.source == "leaves.zip"
    stored = np.load(workload.data)
    images = data.load(str(tmp_path / "leaves.zip"))
    parts = data.split(images)
    assert np.array_equal(stored["x_test"], images.images[parts.test])
    assert np.array_equal(stored["y_test"], images.labels[parts.test])
    assert len(stored["x_train"]) == len(stored["y_train"]) == len(images) - len(parts.test)
    assert "not available" in workloads.pictures("trees.zip", quick=True).source
