"""The verbs take images in Python; a run of such images needs them again."""

from pathlib import Path

import numpy as np
import pytest

import clearcnn
from clearcnn.bundle import read_bundle
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec, ModelSpec
from clearcnn.workflows.runs.run_data import choose_source, read_run_data

Pair = tuple[np.ndarray, list[str]]


@pytest.fixture(scope="module")
def pair() -> Pair:
    images = np.random.default_rng(0).integers(0, 256, (60, 5, 4), np.uint8)
    return images, ["cat", "dog", "owl"] * 20


@pytest.fixture(scope="module")
def run_folder(pair: Pair, flat: ModelSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "pair"
    return clearcnn.train(pair, model=flat, epochs=1, out=out).run_folder


def test_a_run_keeps_what_its_images_were(pair: Pair, run_folder: Path) -> None:
    manifest = read_bundle(run_folder).manifest
    assert manifest.data.source == "Python: a pair (images, labels), 60 images"
    assert manifest.content_hash == clearcnn.load(pair).content_hash
    assert manifest.class_names == ("cat", "dog", "owl")


def test_a_run_needs_its_images_again(pair: Pair, run_folder: Path, tmp_path: Path) -> None:
    manifest = read_bundle(run_folder).manifest
    with pytest.raises(DataError, match="came from Python") as error:
        read_run_data(manifest)
    assert "data=" in error.value.remedy
    scored = clearcnn.evaluate(run_folder, data=pair, out=tmp_path / "again")
    assert scored.headline.score.total == len(
        read_run_data(manifest, clearcnn.load(pair)).splits.test
    )
    images, labels = pair
    with pytest.raises(DataError, match="not the images that the model was trained on"):
        clearcnn.evaluate(run_folder, data=(images[::-1], labels), out=tmp_path / "other")


def test_check_takes_images_in_python(pair: Pair, tmp_path: Path) -> None:
    images, labels = pair
    twice = (np.concatenate([images, images[:2]]), [*labels, "dog", "dog"])
    result = clearcnn.check(twice, labels=False, out=tmp_path / "check")
    assert "duplicates with another label" in [finding.kind for finding in result.findings]


def test_a_strangers_regular_expression_is_not_run() -> None:
    recorded = DataSpec("photos", groups_from_name="(a+)+b")
    with pytest.raises(DataError, match="nothing proves that you wrote it"):
        choose_source(recorded, "mine", is_own=False)
    named = DataSpec("mine", groups_from_name="(a+)+b")
    assert choose_source(recorded, named, is_own=False).source == "mine"
    assert choose_source(recorded, "mine", is_own=True).groups_from_name == "(a+)+b"
