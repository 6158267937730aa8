"""MATLAB files, compared with SciPy's reader; and what is refused."""

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from clearcnn.data.array_files import read_arrays
from clearcnn.errors import DataError

RNG = np.random.default_rng(0)


def _read(path: Path) -> dict[str, np.ndarray]:
    return read_arrays(path, lambda names: names)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("kind", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "b1"])
def test_every_numeric_array_is_as_in_scipy(tmp_path, kind, packed):
    arrays = {
        f"a{number}": (RNG.integers(0, 100, shape)).astype(kind)
        for number, shape in enumerate([(3, 4), (2, 3, 3, 5), (1, 1), (5, 1), (1, 7)])
    }
    # Doubles of whole numbers are stored in fewer bytes.
    arrays["doubles"] = np.arange(12.0).reshape(3, 4) * (1000 if kind == "f8" else 1)
    scipy.io.savemat(tmp_path / "a.mat", arrays, do_compression=packed)
    found, expected = _read(tmp_path / "a.mat"), scipy.io.loadmat(tmp_path / "a.mat")
    assert list(found) == list(arrays)
    for name in arrays:
        np.testing.assert_array_equal(found[name], arrays[name])
        assert found[name].shape == expected[name].shape


def test_text_is_one_string_a_row_and_cells_are_not_listed(tmp_path):
    arrays = {
        "names": np.array(["cat", "horse"]),
        "cells": np.array([1, "a"], object),
        "record": {"x": 1},
    }
    scipy.io.savemat(tmp_path / "a.mat", arrays)
    found = _read(tmp_path / "a.mat")
    assert list(found) == ["names", "record.x"]
    assert found["names"].tolist() == ["cat", "horse"]


def _bytes(array: np.ndarray, *, packed: bool = False) -> bytes:
    file = io.BytesIO()
    scipy.io.savemat(file, {"x": array}, do_compression=packed)
    return file.getvalue()


@pytest.mark.parametrize("packed", [False, True])
def test_a_cut_file_is_refused(tmp_path, packed):
    content = _bytes(RNG.integers(0, 256, (6, 7), np.uint8), packed=packed)
    path = tmp_path / "a.mat"
    for length in range(129, len(content) - 8, 3):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match=r"a\.mat"):
            _read(path)


def test_what_declares_more_than_it_has_is_refused(tmp_path):
    path, content = tmp_path / "a.mat", bytearray(_bytes(np.zeros((6, 7), np.uint8)))
    place = content.index(struct.pack("<ii", 6, 7))
    content[place : place + 8] = struct.pack("<ii", 2**30, 2**30)
    path.write_bytes(content)
    with pytest.raises(DataError, match="at most 67,108,864 are read"):
        _read(path)
    content[place : place + 8] = struct.pack("<ii", 60, 70)
    path.write_bytes(content)
    with pytest.raises(DataError, match="x declares 4,200 values of 1 bytes, but contains 42"):
        _read(path)
    path.write_bytes(_bytes(np.zeros((2**13, 2**13), np.uint8), packed=True))
    with pytest.raises(DataError, match="decompresses to"):
        _read(path)
    path.write_bytes(_bytes(np.array([[1j]])))
    with pytest.raises(DataError, match="x has complex numbers"):
        _read(path)
    scipy.io.savemat(path, {"x": np.zeros((2, 2))}, format="4")
    with pytest.raises(DataError, match="not a MATLAB file of version 5 or newer"):
        _read(path)
