"""Archives of any form: read as the folder they were made from, or refused."""

import io
import json
import os
import re
import stat
import struct
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from clearcnn.data import archive_members, load
from clearcnn.errors import DataError
from clearcnn.language import load_language

PICTURES = Path(__file__).parents[3] / "shared" / "data" / "pictures"
SUFFIXES = ("zip", "tar", "tar.gz", "tgz", "tar.bz2", "tar.xz")


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
    """A folder for temporary files that must be empty after each test."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.iterdir()) == []


def pack(folder: Path, suffix: str) -> Path:
    """Pack a folder as people do, with the folder itself as the only one at the top."""
    path = folder.parent / f"packed.{suffix}"
    if suffix == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(folder.rglob("*")):
                archive.write(file, file.relative_to(folder.parent))
    else:
        compression = suffix.rpartition(".")[2].replace("tgz", "gz")
        mode = "w" if compression == "tar" else f"w:{compression}"
        with tarfile.open(path, mode) as archive:
            archive.add(folder, folder.name)
    return path


def write_zip(path: Path, *names: str, content: bytes = b"?") -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_archive_is_read_as_its_folder(class_folders, suffix):
    path = pack(class_folders, suffix)
    packed, unpacked = load(path), load(class_folders)
    assert packed.content_hash == unpacked.content_hash
    assert packed.source == f"class folders in {path}"
    assert packed.names == tuple(f"shapes/{name}" for name in unpacked.names)
    assert load(f"folder:{path}").content_hash == unpacked.content_hash


@pytest.mark.parametrize("suffix", ["zip", "tar.gz"])
def test_every_form_may_be_packed(tmp_path, write_picture, suffix):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (6, 4, 4), np.uint8), np.array([0, 0, 0, 1, 1, 1])
    for name in ("arrays", "pixels", "table", "pair/MNIST/raw"):
        (tmp_path / name).mkdir(parents=True)
    np.savez(tmp_path / "arrays" / "a.npz", x=images, y=labels)
    rows = [",".join(map(str, [y, *x.ravel()])) for x, y in zip(images, labels, strict=True)]
    head = "label," + ",".join(f"p{k}" for k in range(16))
    (tmp_path / "pixels" / "train.csv").write_text("\n".join([head, *rows]))
    for number in range(6):
        write_picture(tmp_path / "table" / f"{number}.png", number)
    (tmp_path / "table" / "metadata.jsonl").write_text(
        "\n".join(json.dumps({"file_name": f"{k}.png", "label": "ab"[k % 2]}) for k in range(6))
    )
    raw = tmp_path / "pair" / "MNIST" / "raw"
    (raw / "train-images-idx3-ubyte").write_bytes(
        struct.pack(">BBBB3I", 0, 0, 8, 3, *images.shape) + images.tobytes()
    )
    (raw / "train-labels-idx1-ubyte").write_bytes(
        struct.pack(">BBBBI", 0, 0, 8, 1, 6) + labels.astype(np.uint8).tobytes()
    )
    for name in ("table", "pair"):
        packed = load(pack(tmp_path / name, suffix))
        assert packed.content_hash == load(tmp_path / name).content_hash
        assert len(packed) == 6
    # One file alone is read as this file.
    for name, file in (("arrays", "a.npz"), ("pixels", "train.csv")):
        source = tmp_path / name / file
        path = tmp_path / f"{file}.{suffix}"
        if suffix == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                archive.write(source, file)
        else:
            with tarfile.open(path, "w:gz") as archive:
                archive.add(source, file)
        assert load(path).content_hash == load(source).content_hash


def test_errors_and_skipped_files_name_the_archive(class_folders, temporary):
    (class_folders / "2" / "bad.png").write_bytes(b"no picture")
    path = pack(class_folders, "zip")
    with pytest.raises(DataError, match=r"2/bad\.png cannot be read") as info:
        load(path)
    assert str(temporary) not in str(info.value)
    assert re.search("[가-힣]", load_language("ko").translate(info.value.problem))
    (class_folders / "2" / "bad.png").write_bytes(b"")
    path = pack(class_folders, "zip")
    data = load(path, skip_unreadable=True)
    assert [each.path for each in data.skipped] == ["shapes/2/bad.png"]
    reason = data.skipped[0].reason
    assert reason == f"{path}/shapes/2/bad.png is empty (0 bytes)."
    korean = load_language("ko").translate(reason)
    assert str(path) in korean and re.search("[가-힣]", korean)


@pytest.mark.parametrize(
    "name",
    ["../1.png", "/etc/1.png", "a/../../1.png", "C:\\1.png", "..\\1.png", "a/" * 65 + "1.png"],
)
@pytest.mark.parametrize("suffix", ["zip", "tar"])
def test_members_outside_the_folder_are_refused(tmp_path, name, suffix):
    path = tmp_path / f"a.{suffix}"
    if suffix == "zip":
        write_zip(path, name)
    else:
        with tarfile.open(path, "w") as archive:
            archive.addfile(tarfile.TarInfo(name))
    with pytest.raises(DataError, match="would lie outside the archive's folder, or too deep"):
        load(path)
    assert not (tmp_path / "1.png").exists()


def test_backslashes_part_folders(tmp_path, class_folders):
    """Old Windows programs write them."""
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(class_folders.rglob("*.png")):
            archive.writestr(
                str(file.relative_to(class_folders)).replace("/", "\\"), file.read_bytes()
            )
    assert load(path).content_hash == load(class_folders).content_hash


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
def test_links_and_devices_in_tar_are_refused(tmp_path, kind):
    member = tarfile.TarInfo("a/1.png")
    member.type, member.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        archive.addfile(member)
    with pytest.raises(DataError, match=r"a/1\.png is a link or a special file"):
        load(tmp_path / "a.tar")


def test_links_in_zip_are_refused(tmp_path):
    info = zipfile.ZipInfo("a/1.png")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(DataError, match=r"a/1\.png is a link or a special file"):
        load(tmp_path / "a.zip")


def test_what_decompresses_too_far_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/1.png", bytes(65 * 2**20))
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("a/1.png")
        member.size = 65 * 2**20
        archive.addfile(member, io.BytesIO(bytes(member.size)))
    for name in ("a.zip", "a.tar.gz"):
        with pytest.raises(DataError, match="at most 67,108,864 are read"):
            load(tmp_path / name)


def test_too_many_members_are_refused(tmp_path, class_folders, monkeypatch):
    monkeypatch.setattr(archive_members, "MOST_MEMBERS", 5)
    for suffix in ("zip", "tar"):
        with pytest.raises(DataError, match=r"more than 5 members|directory is too large"):
            load(pack(class_folders, suffix))


def test_a_long_header_in_tar_is_refused(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("a/1.png")
        member.pax_headers = {"comment": "x" * (2**20 + 1)}
        archive.addfile(member)
    with pytest.raises(DataError, match="header of"):
        load(tmp_path / "a.tar")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"two members named 'a/1\.png'"):
        load(write_zip(tmp_path / "a.zip", "a/1.png", "a/1.png"))


def test_encrypted_archives_are_refused(tmp_path):
    content = bytearray(write_zip(tmp_path / "a.zip", "a/1.png").read_bytes())
    content[6] |= 1
    content[content.index(b"PK\1\2") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DataError, match="is encrypted"):
        load(tmp_path / "a.zip")


@pytest.mark.parametrize("suffix", ["zip", "tar.gz"])
def test_damaged_archives_are_one_clear_error(class_folders, suffix):
    path = pack(class_folders, suffix)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])
    with pytest.raises(DataError, match="cannot be unpacked"):
        load(path)


@pytest.mark.parametrize("encoding", ["utf-8", "cp949"])
def test_names_in_korean_without_a_mark_are_understood(tmp_path, class_folders, encoding):
    """Windows packs in the code page of the country, macOS in UTF-8; neither says so."""
    picture = next(class_folders.rglob("*.png")).read_bytes()
    write_zip(
        tmp_path / "a.zip", "animal/1.png", "animal/2.png", "b/1.png", "b/2.png", content=picture
    )
    name = {"utf-8": "고양", "cp949": "고양이"}[encoding]
    # Six bytes take the place of six, so that the lengths in the archive stay right.
    content = (tmp_path / "a.zip").read_bytes().replace(b"animal", name.encode(encoding))
    (tmp_path / "a.zip").write_bytes(content)
    assert load(tmp_path / "a.zip").class_names == ("b", name)


def test_what_systems_pack_beside_the_images_is_not_unpacked(class_folders):
    (class_folders.parent / "__MACOSX").mkdir()
    path = pack(class_folders, "zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/shapes/1/._1.png", b"?")
        archive.writestr("shapes/1/.DS_Store", b"?")
    assert load(path).content_hash == load(class_folders).content_hash


def test_a_full_disk_is_one_clear_error(class_folders, monkeypatch):
    path = pack(class_folders, "zip")

    def fail(*_):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("shutil.copyfileobj", fail)
    with pytest.raises(DataError, match="No space left on device") as info:
        load(path)
    assert "TMPDIR" in info.value.remedy


@pytest.mark.parametrize(
    ("name", "shape", "num_classes", "splits"),
    [
        ("att_faces", (400, 96, 79, 1), 40, None),
        ("gtsrb", (6617, 35, 35, 3), 43, {"train": 4943, "test": 1674}),
        ("tiny-imagenet-10", (5500, 64, 64, 3), 10, {"train": 5000, "test": 500}),
    ],
)
def test_real_archives_are_read_where_they_lie(name, shape, num_classes, splits):
    path = PICTURES / f"{name}.zip"
    if not path.is_file():
        pytest.skip("shared/data/pictures is not beside the repository")
    data = load(path)
    assert data.images.shape == shape
    assert len(data.class_names) == num_classes
    counts = None
    if data.split_names is not None:
        counts = {
            each: int((data.split_names == each).sum()) for each in np.unique(data.split_names)
        }
    assert counts == splits
