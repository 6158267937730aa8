"""What `check` says of folders that are not, or not all, class folders: as `train` does."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearcnn.data import load
from clearcnn.errors import DataError
from clearcnn.workflows.check.check import check


def _write(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8), np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number, place in enumerate(("cat/1", "cat/2", "dog/1", "dog/2")):
        _write(tmp_path / "pets" / "training_set" / f"{place}.png", number)
        _write(tmp_path / "pets" / "test_set" / f"{place}.png", 10 + number)
    _write(tmp_path / "pets" / "single_prediction" / "1.png", 20)
    return tmp_path / "pets"


def test_what_is_left_out_is_said_in_the_same_words(folder: Path, tmp_path: Path) -> None:
    result = check(str(folder), labels=False, out=tmp_path / "checked")
    assert result.class_names == ("cat", "dog")
    assert "single_prediction" in result.preparation[0]
    assert result.preparation == load(folder).preparation


def test_versions_are_refused_in_the_same_words(folder: Path, tmp_path: Path) -> None:
    shutil.rmtree(folder / "single_prediction")
    (folder / "training_set").rename(folder / "color")
    (folder / "test_set").rename(folder / "grayscale")
    said = []
    for read in (load, lambda place: check(str(place), out=tmp_path / "checked")):
        with pytest.raises(DataError, match="subfolders of the same names") as info:
            read(folder)
        said.append(str(info.value))
    assert said[0] == said[1]
