"""Well-known sets whose names of arrays do not say everything, written by SciPy."""

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from clearcnn.data import load
from clearcnn.errors import DataError

RNG = np.random.default_rng(0)
LABELS = np.arange(12) % 3


def test_emnist_in_structs_is_upright_and_named(tmp_path: Path) -> None:
    """Its rows list columns: MATLAB's reshape(row, 28, 28) is upright, as its authors say."""
    upright = RNG.integers(0, 256, (12, 28, 28), np.uint8)
    rows = np.stack([image.reshape(-1, order="F") for image in upright])
    part = {"images": rows, "labels": LABELS[:, np.newaxis] + 1, "writers": LABELS[:, np.newaxis]}
    mapping = np.array([[1, 65, 97], [2, 66, 98], [3, 67, 99]])
    content = {"dataset": {"train": part, "test": part, "mapping": mapping}}
    for packed in (False, True):
        savemat(tmp_path / "emnist-letters.mat", content, do_compression=packed)
        data = load(tmp_path / "emnist-letters.mat")
        np.testing.assert_array_equal(data.images[..., 0], np.concatenate([upright, upright]))
        assert data.class_names == ("Aa", "Bb", "Cc")
        assert data.labels.tolist() == [*LABELS, *LABELS]
        assert data.split_names is not None
        assert data.split_names.tolist() == ["train"] * 12 + ["test"] * 12


def test_the_sets_of_an_imdb_are_splits(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, (12, 8, 8, 1), np.uint8)
    sets = np.array([1, 3, 1, 1, 2, 1, 1, 2, 1, 1, 2, 3])
    content = {
        "images": {
            "data": np.moveaxis(images, 0, -1).astype(np.float32),
            "labels": LABELS[np.newaxis] + 1.0,
            "set": sets[np.newaxis],
        },
        "meta": {"classes": np.array(["a", "b", "c"], object)},
    }
    savemat(tmp_path / "imdb.mat", content)
    data = load(tmp_path / "imdb.mat")
    order = np.concatenate([np.flatnonzero(sets == number) for number in (1, 2, 3)])
    np.testing.assert_array_equal(data.images, images[order])
    assert [data.class_names[label] for label in data.labels] == [str(k + 1) for k in LABELS[order]]
    assert data.split_names is not None
    assert data.split_names.tolist() == ["train"] * 7 + ["validation"] * 3 + ["test"] * 2


def test_fields_of_other_structs_are_found_by_their_names(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, (12, 6, 5), np.uint8)
    structs = np.zeros(2, [("x", object), ("y", object)])  # An array of structs is not read.
    savemat(tmp_path / "a.mat", {"s": {"x": images, "y": LABELS[:, None]}, "many": structs})
    np.testing.assert_array_equal(load(tmp_path / "a.mat").images[..., 0], images)
    savemat(tmp_path / "b.mat", {"s": structs})
    with pytest.raises(DataError, match="arrays of structs are not read"):
        load(tmp_path / "b.mat")


def test_a_damaged_struct_is_refused_wherever_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    savemat(path, {"s": {"x": RNG.integers(0, 256, (4, 4, 4), np.uint8), "y": np.eye(4)}})
    content = path.read_bytes()
    for length in range(128, len(content) - 1, 7):
        path.write_bytes(content[:length])
        with pytest.raises(DataError):
            load(path)


def test_the_extra_images_of_svhn_are_left_out_unless_they_are_named(tmp_path: Path) -> None:
    for split, count in (("train", 12), ("test", 6), ("extra", 24)):
        images = RNG.integers(0, 256, (32, 32, 3, count), np.uint8)
        labels = (np.arange(count) % 3 + 8)[:, np.newaxis]
        savemat(tmp_path / f"{split}_32x32.mat", {"X": images, "y": labels})
    data = load(tmp_path)
    assert len(data) == 18
    assert data.class_names == ("0", "8", "9")
    assert "extra training images of SVHN" in data.preparation[0]
    assert len(load(f"{tmp_path}#extra")) == 24
    assert len(load(tmp_path / "extra_32x32.mat")) == 24


def test_olivetti_has_no_labels_in_one_form_and_some_in_another(tmp_path: Path) -> None:
    faces = RNG.integers(0, 256, (4096, 400), np.uint8)
    savemat(tmp_path / "olivettifaces.mat", {"faces": faces, "p": np.eye(2), "u": np.eye(2)})
    with pytest.raises(DataError, match="the keys are faces, p, u") as info:
        load(tmp_path / "olivettifaces.mat")
    assert "This set has no labels" in info.value.remedy
    folder = tmp_path / "kaggle"
    folder.mkdir()
    images = RNG.random((40, 16, 16)).astype(np.float32)
    np.save(folder / "olivetti_faces.npy", images)
    np.save(folder / "olivetti_faces_target.npy", np.arange(40) // 10)
    data = load(folder)
    np.testing.assert_array_equal(data.images[..., 0], images)
    assert data.labels.tolist() == (np.arange(40) // 10).tolist()
