"""Arrays, Pillow images and paths give the predictions that the same files give."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import clearcnn
from clearcnn.errors import DataError
from clearcnn.results.predict import Predictions

DIGITS = clearcnn.load("digits")
ROWS = [3, 41, 500]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("given") / "run"
    return clearcnn.train("digits", recipe="tutorial", epochs=3, out=place).run_folder


def as_picture(row: int) -> Image.Image:
    return Image.fromarray(np.rint(DIGITS.images[row, ..., 0] * (255 / 16)).astype(np.uint8))


@pytest.fixture(scope="module")
def expected(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Predictions:
    folder = tmp_path_factory.mktemp("files")
    for row in ROWS:
        as_picture(row).save(folder / f"{row}.png")
    return clearcnn.predict(run, [folder / f"{row}.png" for row in ROWS])


def check_same(found: Predictions, expected: Predictions) -> None:
    assert [each.prediction for each in found] == [each.prediction for each in expected]
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.confidence == pytest.approx(theirs.confidence, abs=1e-5)


@pytest.mark.parametrize("shape", [(3, 8, 8, 1), (3, 8, 8)])
@pytest.mark.parametrize("dtype", ["uint8", "float64", "int64"])
def test_arrays(run: Path, expected: Predictions, shape: tuple[int, ...], dtype: str) -> None:
    found = clearcnn.predict(run, DIGITS.images[ROWS].reshape(shape).astype(dtype))
    check_same(found, expected)
    assert [each.name for each in found] == ["image 1", "image 2", "image 3"]


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (1, 8, 8, 1)])
def test_one_array(run: Path, expected: Predictions, shape: tuple[int, ...]) -> None:
    check_same(clearcnn.predict(run, DIGITS.images[ROWS[0]].reshape(shape)), expected[:1])


def test_pillow_images_are_converted_as_files_are(run: Path, expected: Predictions) -> None:
    pictures = [as_picture(row) for row in ROWS]
    check_same(clearcnn.predict(run, pictures), expected)
    check_same(clearcnn.predict(run, pictures[0]), expected[:1])
    large = pictures[1].convert("RGB").resize((64, 64), Image.Resampling.NEAREST)
    (found,) = clearcnn.predict(run, large)
    assert any("Resized from 64×64" in sentence for sentence in found.preparation)


def test_a_mixture_keeps_its_order(run: Path, tmp_path: Path) -> None:
    as_picture(3).save(tmp_path / "3.png")
    given = [as_picture(41), tmp_path / "3.png", DIGITS.images[500], str(tmp_path / "3.png")]
    found = clearcnn.predict(run, given)
    # A file that is named twice is predicted once.
    assert [each.name for each in found] == ["image 1", str(tmp_path / "3.png"), "image 3"]
    assert found[0].pictures is not None
    np.testing.assert_array_equal(found[2].pictures.images[0], DIGITS.images[500])


def test_only_the_first_images_are_kept(run: Path) -> None:
    found = clearcnn.predict(run, DIGITS.images[:40])
    kept = [each.pictures is not None for each in found]
    assert kept == [True] * 24 + [False] * 16


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (np.zeros((28, 28)), r"shape \(28, 28\) was given; the model expects images of 8×8"),
        (np.zeros((2, 8, 8, 3)), r"shape \(2, 8, 8, 3\)"),
        (np.zeros(8), r"shape \(8,\)"),
        (np.full((8, 8), 255), "values from 255 to 255; the model was trained on values from 0"),
        (np.full((8, 8), np.nan), "values from nan"),
        (np.full((8, 8), 0.5), "has fractions"),
        (np.full((8, 8), "a"), "dtype <U1; expected numbers"),
        (Image.new("CMYK", (8, 8)), 'mode "CMYK"'),
        ([], "No image was given"),
    ],
)
def test_what_does_not_fit_is_named(run: Path, given: object, words: str) -> None:
    with pytest.raises(DataError, match=words):
        clearcnn.predict(run, given)
