"""What of an HDF5 file is read, and what is refused before it is allocated."""

import h5py
import numpy as np
import pytest

from clearcnn.data.array_files import read_arrays
from clearcnn.data.decode_image import decode
from clearcnn.errors import DataError


def _read(path):
    return read_arrays(path, lambda names: names)


def test_datasets_are_listed_by_their_paths_with_hard_links_only(tmp_path):
    other, path = tmp_path / "other.h5", tmp_path / "a.h5"
    for place in (other, path):
        with h5py.File(place, "w") as file:
            file["x"], file["train/data"] = np.arange(6).reshape(2, 3), np.ones(3)
            file["#refs#/a"] = np.ones(3)
            if place == path:
                file["again"] = file["x"]
                file["soft"] = h5py.SoftLink("/x")
                file["outside"] = h5py.ExternalLink(str(other), "/x")
    found = _read(path)
    assert sorted(found) == ["again", "train/data", "x"]
    np.testing.assert_array_equal(found["again"], np.arange(6).reshape(2, 3))


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"shape": (2**20, 2**20), "dtype": "u1"}, "at most 67,108,864 are read"),
        ({"shape": (3, 4), "dtype": "u1", "external": [("/dev/zero", 0, 12)]}, "in other files"),
        ({"shape": (3, 4), "dtype": "c8"}, "numbers were expected"),
        ({"shape": (3,), "dtype": h5py.string_dtype()}, "variable or unusual length"),
        (
            {"shape": (3, 4), "dtype": "u1", "maxshape": (None, None), "chunks": (2**15, 2**15)},
            "chunks of 1,073,741,824 bytes",
        ),
        ({"shape": (3, 4), "dtype": "u1", "chunks": (3, 4), "scaleoffset": 4}, "by the filter 6"),
    ],
)
def test_what_is_not_safe_to_read_is_refused(tmp_path, options, problem):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("x", **options)
    with pytest.raises(DataError, match=problem):
        _read(tmp_path / "a.h5")


def test_a_virtual_dataset_is_refused(tmp_path):
    layout = h5py.VirtualLayout((4,), "u1")
    layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (4,))
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_virtual_dataset("x", layout)
    with pytest.raises(DataError, match="in other files"):
        _read(tmp_path / "a.h5")


def test_a_cut_file_is_refused(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.random.default_rng(0).integers(0, 256, (20, 20), np.uint8)
    content = path.read_bytes()
    for length in range(1, len(content), 97):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match=r"a\.h5 cannot be read as HDF5"):
            _read(path)


def test_a_keras_model_is_named(tmp_path):
    # As Teachable Machine exports it: keras_model.h5 beside labels.txt.
    path = tmp_path / "keras_model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = "{}"
        file["model_weights/dense/dense/kernel:0"] = np.ones((3, 2))
    with pytest.raises(DataError, match="is a Keras model, not a data set"):
        _read(path)
    with pytest.raises(DataError, match="cannot be read as an image: it is an HDF5 file"):
        decode(path.read_bytes(), "keras_model.h5")
