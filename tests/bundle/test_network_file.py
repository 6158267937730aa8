"""Hostile `.keras` archives, refused by their list of members."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from clearcnn.bundle import check_network_file
from clearcnn.errors import BundleError

PARAMETERS = 100
HONEST = {"metadata.json": 60, "config.json": 900, "model.weights.h5": 4 * PARAMETERS + 2000}


def write_archive(path: Path, members: dict[str, int], how: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", how) as archive:
        for name, size in members.items():
            archive.writestr(name, bytes(size))


def test_what_keras_writes_passes(tmp_path: Path) -> None:
    import keras

    network = keras.Sequential([keras.Input((9,)), keras.layers.Dense(10)])
    network.compile("adam", "mse")
    network.save(tmp_path / "model.keras")
    check_network_file(tmp_path / "model.keras", network.count_params())


def declare_a_terabyte(file: h5py.File) -> None:
    file.create_dataset("vars/0", (2**38,), "f4", chunks=(2**10,))


def declare_a_compressed_gigabyte(file: h5py.File) -> None:
    file.create_dataset("vars/0", data=np.zeros(2**20, "f4"), compression="gzip")


def keep_it_elsewhere(file: h5py.File) -> None:
    file.create_dataset("vars/0", (10,), "u1", external=[("/etc/passwd", 0, 10)])


def make_it_virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((10,), "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "vars/0", (10,))
    file.create_virtual_dataset("vars/0", layout)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (declare_a_terabyte, "its arrays declare 1,099,511,627,776 bytes, more than there are"),
        (declare_a_compressed_gigabyte, "its arrays declare"),
        (keep_it_elsewhere, "'vars/0' lies in another file"),
        (make_it_virtual, "'vars/0' lies in another file"),
        (None, "its model.weights.h5 cannot be read"),
    ],
)
def test_weights_that_are_not_what_they_declare_are_refused(
    spoil: Callable[[h5py.File], None] | None, problem: str, tmp_path: Path
) -> None:
    content = io.BytesIO(b"" if spoil else bytes(5000))
    if spoil:
        with h5py.File(content, "w") as file:
            spoil(file)
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        for name in HONEST:
            archive.writestr(name, content.getvalue() if name.endswith("h5") else b"{}")
    with pytest.raises(BundleError, match=problem):
        check_network_file(tmp_path / "model.keras", PARAMETERS)


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        (HONEST | {"../../escape.py": 10}, "escape.py"),
        (HONEST | {"assets/vocabulary.txt": 10}, "assets"),
        ({"config.json": 900}, "metadata.json, model.weights.h5 were expected"),
        (HONEST | {"model.weights.h5": 4 * PARAMETERS - 1}, "399 bytes; from 400"),
        (HONEST | {"model.weights.h5": 2**22}, "4,194,304 bytes"),
        (HONEST | {"config.json": 2**23}, "config.json has 8,388,608 bytes"),
    ],
)
def test_other_members_and_sizes_are_refused(
    members: dict[str, int], problem: str, tmp_path: Path
) -> None:
    write_archive(tmp_path / "model.keras", members)
    with pytest.raises(BundleError, match=problem):
        check_network_file(tmp_path / "model.keras", PARAMETERS)


def test_a_bomb_is_refused_unopened(tmp_path: Path) -> None:
    write_archive(tmp_path / "model.keras", HONEST, zipfile.ZIP_DEFLATED)
    with pytest.raises(BundleError, match="compressed"):
        check_network_file(tmp_path / "model.keras", PARAMETERS)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice_is_refused(tmp_path: Path) -> None:
    write_archive(tmp_path / "model.keras", HONEST)
    with zipfile.ZipFile(tmp_path / "model.keras", "a") as archive:
        archive.writestr("config.json", b"{}")
    with pytest.raises(BundleError, match=r"'config.json', 'config.json'"):
        check_network_file(tmp_path / "model.keras", PARAMETERS)


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x05\x06" + bytes(18)[:-1]])
def test_what_is_no_archive_is_refused(content: Any, tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(content)
    with pytest.raises(BundleError, match="no archive"):
        check_network_file(tmp_path / "model.keras", PARAMETERS)
