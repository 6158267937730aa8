import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from clearcnn.data.forms.idx import find_pairs, read, read_idx
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def _idx(array: np.ndarray) -> bytes:
    code = CODES[array.dtype.str[1:]]
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return head + array.astype(array.dtype.newbyteorder(">")).tobytes()


def _write(folder: Path, stem: str, num_images: int, *, zipped: bool = False) -> np.ndarray:
    rng = np.random.default_rng(num_images)
    images = rng.integers(0, 256, (num_images, 5, 4), np.uint8)
    labels = np.arange(num_images, dtype=np.uint8) % 2
    for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
        content = gzip.compress(_idx(array)) if zipped else _idx(array)
        (folder / f"{stem}{kind}-ubyte{'.gz' if zipped else ''}").write_bytes(content)
    return images


@given(
    hnp.arrays(
        st.sampled_from([np.dtype(code) for code in CODES]),
        hnp.array_shapes(min_dims=1, max_dims=4, max_side=4),
    ),
    st.booleans(),
)
def test_any_array_comes_back(tmp_path_factory, array, zipped):
    path = tmp_path_factory.mktemp("idx") / "x-idx1-ubyte"
    path.write_bytes(gzip.compress(_idx(array)) if zipped else _idx(array))
    found = read_idx(path)
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("zipped", [False, True])
def test_t10k_files_are_the_test_part(tmp_path, zipped):
    test = _write(tmp_path, "t10k-", 4, zipped=zipped)
    train = _write(tmp_path, "train-", 6, zipped=zipped)
    data = read(tmp_path, DataSpec())
    np.testing.assert_array_equal(data.images[..., 0], np.concatenate([train, test]))
    assert data.split_names is not None
    assert data.split_names.tolist() == ["train"] * 6 + ["test"] * 4
    assert data.labels.tolist() == [0, 1] * 5
    assert data.class_names == ("0", "1")
    assert data.names[-1] == "test row 3"


def test_one_file_stands_for_its_pair(tmp_path):
    test = _write(tmp_path, "t10k-", 4)
    _write(tmp_path, "train-", 6)
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        data = read(tmp_path / name, DataSpec())
        np.testing.assert_array_equal(data.images[..., 0], test)
        assert data.split_names is None


def test_other_usual_names_are_pairs(tmp_path):
    for name in ("emnist-test-images-idx3-ubyte.gz", "emnist-test-labels-idx1-ubyte.gz"):
        (tmp_path / name).touch()
    for name in ("Images.idx3-ubyte", "labels.idx1-ubyte", "notes.txt"):
        (tmp_path / name).touch()
    assert list(find_pairs(tmp_path)) == ["", "emnist-test-"]


def test_names_that_clash_are_refused(tmp_path):
    _write(tmp_path, "train-", 4)
    _write(tmp_path, "other-", 4)
    with pytest.raises(DataError, match="contains 2 data sets: other, unnamed"):
        read(tmp_path, DataSpec())
    assert len(read(tmp_path, DataSpec(f"idx:{tmp_path}#unnamed"))) == 4
    _write(tmp_path, "test-", 4)
    _write(tmp_path, "t10k-", 4)
    with pytest.raises(DataError, match="more than one test pair: 'other-', 't10k-', 'test-'"):
        read(tmp_path, DataSpec())
    (tmp_path / "train-images.idx3-ubyte").write_bytes(b"")
    with pytest.raises(DataError, match="contains both"):
        read(tmp_path, DataSpec())


def test_a_file_is_taken_before_the_same_file_gzipped(tmp_path):
    _write(tmp_path, "train-", 8, zipped=True)
    pixels = _write(tmp_path, "train-", 8)
    # As in Kaggle's MNIST: folders named like the files.
    (tmp_path / "train-images.idx3-ubyte").mkdir()
    data = read(tmp_path, DataSpec())
    np.testing.assert_array_equal(data.images[..., 0], pixels)
    assert "and not the same names with .gz" in data.preparation[0]
    again = read(tmp_path / "train-images-idx3-ubyte.gz", DataSpec())
    np.testing.assert_array_equal(again.images, data.images)


def test_emnist_is_chosen_by_name_turned_upright_and_named(tmp_path):
    for name in ("letters", "digits"):
        for split, count in (("train", 8), ("test", 4)):
            pixels = _write(tmp_path, f"emnist-{name}-{split}-", count)
    (tmp_path / "emnist-letters-mapping.txt").write_text("0 64 \n1 65 97\n")
    (tmp_path / "emnist-digits-mapping.txt").write_text("0 48\n")
    with pytest.raises(DataError, match="2 data sets: emnist-digits, emnist-letters") as info:
        read(tmp_path, DataSpec(str(tmp_path)))
    assert f"idx:{tmp_path}#emnist-letters" in info.value.remedy
    data = read(tmp_path, DataSpec(f"idx:{tmp_path}#emnist-letters"))
    np.testing.assert_array_equal(data.images[8:, ..., 0], pixels.swapaxes(1, 2))
    assert data.class_names == ("@", "Aa")
    assert data.split_names is not None
    assert data.split_names.tolist() == ["train"] * 8 + ["test"] * 4
    assert any("turned upright" in sentence for sentence in data.preparation)
    # The short name that people use.
    short = read(tmp_path, DataSpec(f"idx:{tmp_path}#letters"))
    assert short.content_hash == data.content_hash
    with pytest.raises(DataError, match="the label 1 has no name in the mapping"):
        read(tmp_path, DataSpec(f"idx:{tmp_path}#digits"))


@pytest.mark.parametrize("kind", ["i2", "i4"])
def test_labels_may_be_wider_and_qmnists_have_more_columns(tmp_path, kind):
    _write(tmp_path, "qmnist-train-", 6)
    labels = np.arange(6, dtype=kind) % 3
    (tmp_path / "qmnist-train-labels-idx1-ubyte").write_bytes(_idx(labels))
    np.testing.assert_array_equal(read(tmp_path, DataSpec()).labels, labels)
    facts = np.stack([labels, *[np.arange(6, dtype=kind)] * 7], axis=1)
    (tmp_path / "qmnist-train-labels-idx1-ubyte").unlink()
    (tmp_path / "qmnist-train-labels-idx2-int").write_bytes(_idx(facts))
    np.testing.assert_array_equal(read(tmp_path, DataSpec()).labels, labels)


IMAGES, LABELS = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"


@pytest.mark.parametrize(
    ("name", "change", "problem"),
    [
        (IMAGES, lambda c: b"\x89PNG" + c[4:], r"starts with the bytes 89 50 4e 47"),
        (IMAGES, lambda c: b"\0\0\x07\x03" + c[4:], "type from 08 to 0e"),
        (IMAGES, lambda c: c[:3], "starts with the bytes"),
        (IMAGES, lambda c: c[:10], r"contains only"),
        (IMAGES, lambda c: c[:-1], r"shape 6×5×4, 120 bytes, but contains only 119"),
        (IMAGES, lambda c: c + b"\0", "contains more bytes"),
        (IMAGES, lambda c: c[:4] + b"\xff" * 12 + c[16:], "at most"),
        (LABELS, lambda c: _idx(np.zeros(5, np.uint8)), "6 images but .* 5 labels"),
        (LABELS, lambda c: _idx(np.zeros((6, 1, 1), np.uint8)), "labels-idx1-ubyte has 3"),
        (IMAGES, lambda c: b"", "0 bytes"),
        (IMAGES, lambda c: gzip.compress(c)[:-9], "its gzip data are truncated"),
        (IMAGES, lambda c: gzip.compress(c)[:-8] + b"\0" * 8, "its gzip data are damaged"),
    ],
)
def test_broken_files_are_named_with_the_fault(tmp_path, name, change, problem):
    _write(tmp_path, "train-", 6)
    path = tmp_path / name
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DataError, match=problem) as info:
        read(tmp_path, DataSpec())
    assert name in info.value.problem


def test_half_a_pair_is_refused(tmp_path):
    _write(tmp_path, "train-", 6)
    (tmp_path / LABELS).unlink()
    with pytest.raises(DataError, match="but not its labels file"):
        read(tmp_path, DataSpec())


def test_a_folder_without_pairs_is_refused(tmp_path):
    with pytest.raises(DataError, match="no IDX files with the usual names"):
        read(tmp_path, DataSpec())


@pytest.mark.mnist
def test_the_whole_of_mnist_is_read(mnist_folder):
    data = read(mnist_folder, DataSpec())
    assert data.images.shape == (70_000, 28, 28, 1)
    assert data.images.dtype == np.uint8
    assert data.split_names is not None
    assert np.sum(data.split_names == "test") == 10_000
    # Published counts of the training digits 0 to 9, and the mean that everybody normalises by.
    train = data.split_names == "train"
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(data.labels[train]).tolist() == counts
    assert data.images[train].mean() / 255 == pytest.approx(0.1307, abs=5e-5)
    assert data.labels[60_000:60_005].tolist() == [7, 2, 1, 0, 4]


def test_what_unfolds_beyond_its_size_is_refused(tmp_path):
    path = tmp_path / "x-images-idx3-ubyte.gz"
    path.write_bytes(gzip.compress(_idx(np.zeros((2**17, 24, 24), np.uint8)), 1))
    with pytest.raises(DataError, match="decompresses to 75,497,472; at most 67,108,864 are read"):
        read_idx(path)
