"""What may lie in a folder: links, pipes, depths, and names of every kind."""

import os
import socket

import pytest

from clearcnn.data.forms.folder import walk_images
from clearcnn.data.natural_sort import sort_naturally
from clearcnn.data.sources import load
from clearcnn.errors import DataError

NAMES = [
    "개 사진.png",
    "pièce.png",
    "кошка 猫 🐈‍⬛.png",
    "right ‮to‬ left.png",
    "line\nbreak.png",
    "\x1b[31mred\x1b[0m\x9b.png",
    'a,"b";<c>&d.png',
    " spaces .png",
    os.fsdecode(b"no \xff Unicode.png"),
    "x" * 200 + ".png",
    "-.png",
    "=1+1.png",
]


def test_names_of_every_script_are_read_and_kept(tmp_path, write_picture):
    for label in ("고양이", "Cat", "a", "A"):
        for number, name in enumerate(NAMES):
            write_picture(tmp_path / label / name, number)
    data = load(tmp_path)
    assert data.class_names == tuple(sort_naturally(["A", "a", "Cat", "고양이"]))
    assert sorted(data.names) == sorted(f"{c}/{name}" for c in data.class_names for name in NAMES)


def test_two_names_that_are_one_in_unicode_are_refused(tmp_path, write_picture):
    # Composed as Linux and Windows write it, and decomposed as macOS does.
    for folder in ("caf\u00e9", "cafe\u0301", "tea"):
        for number in range(2):
            write_picture(tmp_path / folder / f"{number}.png", number)
    with pytest.raises(DataError, match=r"'cafe\\u0301' and 'caf\\xe9' are the same name"):
        load(tmp_path)


@pytest.mark.parametrize("twin", ["CAT", "cat ", " Cat"])
def test_two_names_that_differ_in_case_or_blanks_are_refused(tmp_path, write_picture, twin):
    for folder in ("cat", twin, "dog"):
        for number in range(2):
            write_picture(tmp_path / folder / f"{number}.png", number)
    with pytest.raises(DataError, match="same name in two spellings"):
        load(tmp_path)


def test_links_within_are_read_and_links_out_are_refused(class_folders, tmp_path, write_picture):
    before = len(load(class_folders))
    (class_folders / "1" / "again.png").symlink_to("../2/1.png")
    assert len(load(class_folders)) == before + 1
    write_picture(tmp_path / "secret.png")
    (class_folders / "1" / "out.png").symlink_to("../../secret.png")
    with pytest.raises(DataError, match=r"out\.png cannot be opened: it is a link that leads out"):
        load(class_folders)
    skipped = load(class_folders, skip_unreadable=True).skipped
    assert [file.path for file in skipped] == ["1/out.png"]


def test_a_folder_that_is_itself_a_link_is_read(class_folders, tmp_path):
    (tmp_path / "link").symlink_to(class_folders)
    assert len(load(tmp_path / "link")) == len(load(class_folders))


def test_links_in_a_circle_end(class_folders):
    (class_folders / "1" / "a.png").symlink_to("b.png")
    (class_folders / "1" / "b.png").symlink_to("a.png")
    with pytest.raises(DataError, match=r"a\.png (is a link|cannot be)"):
        load(class_folders)
    assert len(load(class_folders, skip_unreadable=True).skipped) == 2
    (class_folders / "1" / "up").symlink_to("..")
    with pytest.raises(DataError, match="up is a link to a folder"):
        load(class_folders)


def test_pipes_sockets_devices_and_empty_files_are_named_and_not_waited_for(
    class_folders, monkeypatch
):
    place = class_folders / "1"
    os.mkfifo(place / "pipe.png")
    (place / "empty.png").touch()
    (place / "null.png").symlink_to("/dev/null")
    monkeypatch.chdir(place)  # A socket's path must be short.
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket.png")
        skipped = {
            file.path: file.reason for file in load(class_folders, skip_unreadable=True).skipped
        }
    assert "is not a regular file" in skipped["1/pipe.png"]
    assert "is empty (0 bytes)" in skipped["1/empty.png"]
    assert "is a link that leads out" in skipped["1/null.png"]
    assert "is not a regular file" in skipped["1/socket.png"]


def test_a_folder_called_like_a_picture_is_a_folder(class_folders, write_picture):
    before = len(load(class_folders))
    write_picture(class_folders / "1" / "x.png" / "inner.png", 7)
    data = load(class_folders)
    assert len(data) == before + 1
    assert "1/x.png/inner.png" in data.names


def test_a_tree_ten_thousand_folders_deep_is_one_error(tmp_path, monkeypatch):
    root = tmp_path / "deep"
    (root / "a").mkdir(parents=True)
    depth = 10_000
    monkeypatch.chdir(root / "a")
    for _ in range(depth):
        os.mkdir("d")  # noqa: PTH102 - Path would need the whole of it.
        os.chdir("d")
    try:
        with pytest.raises(DataError, match="File name too long"):
            load(root)
    finally:
        # Nor could anyone else remove it at once.
        for _ in range(depth):
            os.chdir("..")
            os.rmdir("d")  # noqa: PTH106


def test_folders_deeper_than_pythons_recursion_are_walked(tmp_path, write_picture):
    place = tmp_path
    for _ in range(1_500):
        place /= "d"
        place.mkdir()
    write_picture(place / "1.png")
    try:
        assert walk_images(tmp_path).images == [place / "1.png"]
    finally:
        # pytest could not remove it.
        (place / "1.png").unlink()
        while place != tmp_path:
            place.rmdir()
            place = place.parent
