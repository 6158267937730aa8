import os

import pytest

from clearcnn.data.safe_files import describe_content, open_regular, read_bytes
from clearcnn.errors import DataError


def test_a_file_is_read_whole(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert read_bytes(tmp_path / "a") == b"abc"
    assert read_bytes(tmp_path / "a", limit_bytes=3) == b"abc"


def test_what_is_missing_empty_or_too_large_is_refused(tmp_path):
    (tmp_path / "empty").touch()
    (tmp_path / "large").write_bytes(b"abcd")
    with pytest.raises(DataError, match=r"missing cannot be opened: No such file"):
        open_regular(tmp_path / "missing")
    with pytest.raises(DataError, match=r"empty \(0 bytes\)"):
        open_regular(tmp_path / "empty")
    with pytest.raises(DataError, match="has 4 bytes; at most 3"):
        read_bytes(tmp_path / "large", limit_bytes=3)
    with pytest.raises(DataError, match="not a regular file"):
        open_regular(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_nobody_writes_to_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(DataError, match="not a regular file"):
        open_regular(tmp_path / "pipe.png")


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_links_may_not_lead_out_of_the_folder(tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "outside").write_bytes(b"secret")
    (inside / "own").write_bytes(b"own")
    (inside / "good").symlink_to("own")
    (inside / "bad").symlink_to("../outside")
    assert read_bytes(inside / "good", inside) == b"own"
    with pytest.raises(DataError, match="bad cannot be opened: it is a link that leads out of"):
        read_bytes(inside / "bad", inside)


def test_a_folder_is_described_by_its_kinds_of_files(tmp_path):
    assert describe_content(tmp_path) == "nothing"
    for name in ("a.txt", "b.TXT", "c.csv", ".hidden"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    assert describe_content(tmp_path).startswith("2 .txt files, ")
    assert "1 folder" in describe_content(tmp_path)
