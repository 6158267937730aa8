import io
import struct
import zipfile

import pytest

from clearcnn.archives import open_archive


def _archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.comment = b"a comment" * 999
        for name in names:
            archive.writestr(name, name)
    return file.getvalue()


def test_an_archive_of_a_few_members_is_opened():
    with open_archive(io.BytesIO(_archive("a", "b"))) as archive:
        assert archive.namelist() == ["a", "b"]
        assert archive.read("b") == b"b"


@pytest.mark.parametrize("more", [b"", b"PK\6\7" + bytes(16)])
def test_a_list_of_members_without_proportion_is_refused(more):
    size = 2**20 + 1 if not more else 0
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 9, 9, size, 0, 0)
    with pytest.raises(zipfile.BadZipFile, match="its central directory is too large"):
        open_archive(io.BytesIO(bytes(2**21) + more + end))


@pytest.mark.parametrize("content", [b"", b"PK\5\6", bytes(100), None])
def test_what_is_no_archive_is_refused(content):
    content = _archive("a")[:60] if content is None else content
    with pytest.raises(zipfile.BadZipFile):
        open_archive(io.BytesIO(content))


def test_many_members_are_allowed_up_to_a_number():
    content = _archive(*map(str, range(40)))
    with open_archive(io.BytesIO(content), most_members=40) as archive:
        assert len(archive.namelist()) == 40
    with pytest.raises(zipfile.BadZipFile, match="more than 39 members"):
        open_archive(io.BytesIO(content), most_members=39)
    with pytest.raises(zipfile.BadZipFile, match="directory is too large"):
        open_archive(io.BytesIO(content), most_members=9)


def test_zip64_is_allowed_with_many_members(monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 3)
    content = _archive(*"abcdef")
    assert b"PK\6\6" in content
    with open_archive(io.BytesIO(content), most_members=10) as archive:
        assert archive.read("f") == b"f"
    with pytest.raises(zipfile.BadZipFile, match="directory is too large"):
        open_archive(io.BytesIO(content), most_members=1)
    with pytest.raises(zipfile.BadZipFile, match="directory is too large"):
        open_archive(io.BytesIO(content))
