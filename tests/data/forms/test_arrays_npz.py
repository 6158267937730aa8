import io
import zipfile

import numpy as np
import pytest

from clearcnn.data.array_labels import tidy_labels
from clearcnn.data.forms.arrays import read
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec


def _images(n: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(n).integers(0, 256, (n, *(shape or (5, 4))), np.uint8)


def _labels(n: int) -> np.ndarray:
    return np.arange(n) % 2


@pytest.mark.parametrize(
    "keys",
    [
        ("x_train", "y_train", "x_test", "y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
    ],
)
def test_keras_and_medmnist_keys_are_parts(tmp_path, keys):
    arrays = (_images(6, 5, 4, 3), _labels(6)[:, None], _images(4, 5, 4, 3), _labels(4)[:, None])
    np.savez_compressed(tmp_path / "a.npz", **dict(zip(keys, arrays, strict=True)))
    data = read(tmp_path / "a.npz", DataSpec())
    np.testing.assert_array_equal(data.images, np.concatenate([arrays[0], arrays[2]]))
    assert data.labels.tolist() == [0, 1] * 5
    assert data.split_names is not None
    assert data.split_names.tolist() == ["train"] * 6 + ["test"] * 4
    assert data.names[6] == "test row 0"


def test_x_and_y_may_have_groups_and_names(tmp_path):
    y = np.array(["dog", "cat", "dog", "cat"])
    np.savez(tmp_path / "a.npz", x=_images(4) / 255, y=y, groups=np.array([7, 7, 8, 8]))
    data = read(tmp_path / "a.npz", DataSpec())
    assert data.images.shape == (4, 5, 4, 1)
    assert data.images.dtype == np.float32
    assert data.value_range == (0, 1)
    assert data.class_names == ("cat", "dog")
    assert data.labels.tolist() == [1, 0, 1, 0]
    assert data.groups is not None
    assert data.groups.tolist() == ["7", "7", "8", "8"]
    assert data.split_names is None


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"x": _images(4)}, "the labels are missing; the keys are x"),
        ({"a": _images(4)}, "the keys do not identify one data set; the keys are a"),
        ({}, "the keys are none"),
        ({"x": _images(4), "y": _labels(3)}, r"x has the shape \(4, 5, 4\), but there are 3 lab"),
        ({"x": np.array(3), "y": _labels(3)}, r"shape \(\)"),
        (
            {"x_train": _images(4), "y_train": _labels(4), "x_test": _images(4)},
            "the labels of the test set are missing",
        ),
        (
            {"x": _images(4), "y": _labels(4), "x_train": _images(4), "y_train": _labels(4)},
            "do not identify one",
        ),
        (
            {
                "x_train": _images(4),
                "y_train": _labels(4),
                "x_test": _images(4, 6, 6),
                "y_test": _labels(4),
            },
            "splits have images of different kinds",
        ),
        ({"x": _images(4), "y": np.eye(4) / 2}, "its rows are not one-hot"),
        ({"x": _images(4), "y": np.array([0.5, 1, 0, 1])}, "neither whole numbers nor text"),
        ({"x": np.full((4, 3, 3), np.nan), "y": _labels(4)}, "image 0 has the value nan"),
        ({"x": _images(4), "y": _labels(4), "groups": np.arange(3)}, "4 images, but 3 groups"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path, arrays, problem):
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(DataError, match=problem):
        read(tmp_path / "a.npz", DataSpec())


class _Touch:
    def __reduce__(self):
        return (exec, ("raise SystemExit('unpickled')",))


def test_nothing_is_ever_unpickled(tmp_path):
    y = np.array([_Touch(), "b", "a", "b"], dtype=object)
    np.savez(tmp_path / "a.npz", x=_images(4), y=y)
    with pytest.raises(DataError, match="never unpickles") as info:
        read(tmp_path / "a.npz", DataSpec())
    assert "dtype=str" in info.value.remedy


def _zip_of(name: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, content)
    return buffer.getvalue()


def _header(shape: tuple[int, ...]) -> bytes:
    buffer = io.BytesIO()
    head = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(buffer, head)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a zip",
        _zip_of("x.npy", b"not an array"),
        _zip_of("x.npy", _header((2**30, 2**20, 2**10))),
        _zip_of("x.npy", _header((10, 8, 8)) + b"short"),
    ],
)
def test_broken_archives_are_refused(tmp_path, content):
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.npz"):
        read(tmp_path / "a.npz", DataSpec())


def test_a_cut_archive_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=_images(40), y=_labels(40))
    content = (tmp_path / "a.npz").read_bytes()
    for length in range(1, len(content), 97):
        (tmp_path / "a.npz").write_bytes(content[:length])
        with pytest.raises(DataError):
            read(tmp_path / "a.npz", DataSpec())


def test_labels_may_be_bytes_booleans_or_whole_floats():
    assert tidy_labels(np.array(["고".encode()]), "y").tolist() == ["고"]
    assert tidy_labels(np.array([True, False]), "y").tolist() == [1, 0]
    assert tidy_labels(np.array([[2.0], [3.0]]), "y").tolist() == [2, 3]


def _npy(shape: tuple[int, ...], kind: str, content: bytes = b"") -> bytes:
    file = io.BytesIO()
    header = {"descr": kind, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + content


@pytest.mark.parametrize(
    ("member", "problem"),
    [
        (_npy((2**60,), "<f8"), r"x declares the shape \(1152921504606846976,\) of float64, but"),
        (_npy((2**32, 2**32), "|u1"), r"x declares the shape \(4294967296, 4294967296\)"),
        (_npy((2**40, 0), "|u1"), "x has the shape|2199023255552|1099511627776"),
        (_npy((4,), "|S0"), "elements have no bytes"),
        (_npy((4,), "|u1", b"12345"), "contains 5 bytes"),
        (b"no array", "cannot be read as an NPZ file: an array in it is damaged"),
        (b"\x93NUMPY\x01\x00\x04\x00((((", "cannot be read as an NPZ file"),
        (b"\x93NUMPY\x09\x00" + bytes(9), "cannot be read as an NPZ file"),
    ],
)
def test_arrays_that_declare_what_they_do_not_hold_are_refused(tmp_path, member, problem):
    path = tmp_path / "a.npz"
    np.savez(path, y=_labels(4))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x.npy", member)
    with pytest.raises(DataError, match=problem):
        read(path, DataSpec())


def test_what_unfolds_beyond_its_size_is_refused(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", x=np.zeros((2**20, 9, 9), np.uint8), y=_labels(2**20))
    with pytest.raises(
        DataError, match=r"bytes and decompresses to 93,\d+,\d+; at most 67,108,864"
    ):
        read(tmp_path / "a.npz", DataSpec())
