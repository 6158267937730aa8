"""CIFAR's and STL-10's binary files, written as their pages say."""

from pathlib import Path

import numpy as np
import pytest

from clearcnn.data.sources import load
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 32, 32, 3), np.uint8)
FINE, COARSE = np.arange(30) % 10, np.arange(30) % 5
NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]


def _write(path: Path, *labels: np.ndarray) -> None:
    planes = PIXELS.transpose(0, 3, 1, 2).reshape(30, -1)
    columns = [column[:, np.newaxis].astype(np.uint8) for column in labels]
    path.write_bytes(np.concatenate([*columns, planes], axis=1).tobytes())


def test_cifar_10(tmp_path):
    for name in ("data_batch_1.bin", "data_batch_2.bin", "test_batch.bin"):
        _write(tmp_path / name, FINE)
    (tmp_path / "batches.meta.txt").write_text("\n".join([*NAMES, ""]))
    data = load(tmp_path)
    np.testing.assert_array_equal(data.images, np.tile(PIXELS, (3, 1, 1, 1)))
    assert data.class_names == tuple(NAMES)
    assert data.split_names.tolist() == ["train"] * 60 + ["test"] * 30
    alone = load(tmp_path / "data_batch_1.bin")
    np.testing.assert_array_equal(alone.images, PIXELS)
    assert alone.split_names is None


def test_cifar_100_needs_a_choice_of_its_two_labels(tmp_path):
    for name in ("train.bin", "test.bin"):
        _write(tmp_path / name, COARSE, FINE)
    (tmp_path / "fine_label_names.txt").write_text("\n".join(f"fine {k}" for k in range(10)))
    (tmp_path / "coarse_label_names.txt").write_text("\n".join(f"coarse {k}" for k in range(5)))
    with pytest.raises(DataError, match="two labels for each image") as info:
        load(tmp_path)
    assert "--label-column fine_label" in info.value.remedy
    for column, labels, name in (
        ("fine_label", FINE, "fine 0"),
        ("coarse_label", COARSE, "coarse 0"),
    ):
        data = load(DataSpec(str(tmp_path), label_column=column))
        np.testing.assert_array_equal(data.images[30:], PIXELS)
        np.testing.assert_array_equal(data.labels[:30], labels)
        assert data.class_names[0] == name


def test_stl_lies_column_by_column_and_counts_from_1(tmp_path):
    large = PIXELS.repeat(3, 1).repeat(3, 2)
    for split in ("train", "test"):
        (tmp_path / f"{split}_X.bin").write_bytes(large.transpose(0, 3, 2, 1).tobytes())
        (tmp_path / f"{split}_y.bin").write_bytes((FINE + 1).astype(np.uint8).tobytes())
    (tmp_path / "unlabeled_X.bin").write_bytes(large[:2].transpose(0, 3, 2, 1).tobytes())
    (tmp_path / "class_names.txt").write_text("\n".join(NAMES))
    data = load(tmp_path)
    np.testing.assert_array_equal(data.images[:30], large)
    np.testing.assert_array_equal(data.labels[:30], FINE)
    assert data.class_names == tuple(NAMES)
    assert "Images without labels left out: 'unlabeled_X.bin'." in data.preparation


def test_cut_files_are_refused(tmp_path):
    _write(tmp_path / "test_batch.bin", FINE)
    content = (tmp_path / "test_batch.bin").read_bytes()
    (tmp_path / "test_batch.bin").write_bytes(content[:-1])
    with pytest.raises(DataError, match="no multiple of 3,073"):
        load(tmp_path)
