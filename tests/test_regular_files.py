"""Regular files are read; links, pipes, devices and folders raise without blocking."""

import os
from pathlib import Path

import pytest

from clearcnn.regular_files import open_regular, read_regular


def test_a_regular_file_is_read_up_to_its_bound(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read_regular(path) == read_regular(path, 5) == b"12345"
    with pytest.raises(OSError, match="5 bytes; at most 4 are read"):
        read_regular(path, 4)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link", "dangling", "circle"])
def test_what_is_no_regular_file_is_refused(kind: str, tmp_path: Path) -> None:
    path, real = tmp_path / "a", tmp_path / "real"
    real.write_bytes(b"inside")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "device":
        path = Path("/dev/zero")
    else:
        path.symlink_to({"link": real, "dangling": tmp_path / "none", "circle": path}[kind])
    is_link = path.is_symlink()
    with pytest.raises(OSError) as caught:
        read_regular(path)
    assert caught.value.strerror == ("it is a link" if is_link else "it is not a regular file")


def test_a_folder_above_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_bytes(b"inside")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert read_regular(tmp_path / "link" / "a") == b"inside"


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_is_followed_within_its_root_only(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside").write_bytes(b"outside")
    (root / "inside").write_bytes(b"inside")
    (root / "good").symlink_to("inside")
    (root / "bad").symlink_to("../outside")
    with open_regular(root / "good", root=root) as file:
        assert file.read() == b"inside"
    with pytest.raises(OSError, match="it is a link that leads out of"):
        open_regular(root / "bad", root=root)
