"""Rows of pixels are predicted like the images that they are; another scale warns."""

from pathlib import Path

import numpy as np
import pytest

import clearcnn

DIGITS = clearcnn.load("digits")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("rows") / "run"
    return clearcnn.train("digits", epochs=2, out=place).run_folder


def write(path: Path, rows: np.ndarray, *, labelled: bool = False) -> Path:
    names = ["label"] * labelled + [f"pixel{k}" for k in range(rows.shape[1])]
    if labelled:
        rows = np.column_stack([np.zeros(len(rows)), rows])
    np.savetxt(path, rows, "%g", ",", header=",".join(names), comments="")
    return path


def test_rows_of_a_table_are_predicted_as_keras_predicts_them(run, tmp_path):
    from clearcnn.backend import load_keras

    pixels = DIGITS.images[:40]
    network = load_keras().saving.load_model(run / "model.keras")
    expected = network.predict(pixels, verbose=0).argmax(axis=1)
    for labelled in (False, True):
        table = write(tmp_path / "test.csv", pixels.reshape(40, 64), labelled=labelled)
        found = list(clearcnn.predict(run, table, keep_polarity=True))
        assert [each.name for each in found[:2]] == [f"{table} row 0", f"{table} row 1"]
        assert [each.prediction for each in found] == [DIGITS.class_names[k] for k in expected]
        assert found[0].preparation == ()


def test_rows_of_another_scale_warn(run, tmp_path):
    large = write(tmp_path / "large.csv", DIGITS.images[:40].reshape(40, 64) * 15)
    with pytest.warns(UserWarning, match="values from 0 to 240, and the model was trained on"):
        assert len(list(clearcnn.predict(run, large))) == 40
    small = write(tmp_path / "small.csv", DIGITS.images[:4].reshape(4, 64) / 16)
    errors = [each.error for each in clearcnn.predict(run, small)]
    assert all("the model expects whole numbers of uint8" in str(error) for error in errors)
