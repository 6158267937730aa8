"""What lies under the names of images when a download or a clone went wrong."""

import pytest

from clearcnn.data import load
from clearcnn.errors import DataError
from clearcnn.specs import DataSpec

POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)


@pytest.mark.parametrize(
    ("content", "what", "remedy"),
    [
        (POINTER, "a Git LFS pointer", "git lfs pull"),
        (b"\n<!DOCTYPE html>\n<html><body>Sign in</body></html>", "an HTML page", "Download"),
        (b"\xef\xbb\xbf<HTML>", "an HTML page", "Download"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing", "PNG"),
        (b"<?xml version='1.0'?><Error/>", "an XML document", "download again"),
        (b"%PDF-1.7", "a PDF document", "PNG"),
        (b"PK\3\4", "a zip archive", "Unpack"),
        (HEIC, "a HEIC image", "JPEG"),
    ],
)
def test_the_cause_and_the_number_of_such_files_are_named(class_folders, content, what, remedy):
    (class_folders / "1" / "1.png").write_bytes(content)
    with pytest.raises(DataError, match=f"1/1.png cannot be read as an image: it is {what}") as one:
        load(class_folders)
    assert "of the 9 files" not in one.value.problem
    assert remedy in one.value.remedy
    for name in ("2/1.png", "10/2.png", "10/10.png"):
        (class_folders / name).write_bytes(content)
    (class_folders / "2" / "2.png").write_bytes(b"something else")
    with pytest.raises(DataError, match=f"it is {what}") as info:
        load(class_folders)
    assert (
        "So are 4 of the 9 files: '1/1.png', '2/1.png', '10/2.png' and 1 more."
        in info.value.problem
    )
    assert remedy in info.value.remedy
    spec = DataSpec(str(class_folders), skip_unreadable=True, for_training=False)
    skipped = load(spec).skipped
    assert sum(f"it is {what}" in each.reason for each in skipped) == 4


def test_other_faults_are_about_the_first_file(class_folders):
    for name in ("1/1.png", "2/1.png"):
        (class_folders / name).write_bytes(b"neither")
    with pytest.raises(DataError, match=r"1/1\.png cannot be read as an image: it is not") as info:
        load(class_folders)
    assert "So are" not in info.value.problem


def test_the_name_of_a_file_is_no_cause(class_folders):
    (class_folders / "1" / "0 it is a zip archive.png").write_bytes(b"neither")
    for name in ("1/1.png", "2/1.png"):
        (class_folders / name).write_bytes(b"PK\3\4")
    with pytest.raises(DataError, match=r"0 it is a zip archive\.png cannot be read") as info:
        load(class_folders)
    assert "So are" not in info.value.problem


def test_a_clone_of_pointers_alone_says_so_where_unreadable_files_are_skipped(class_folders):
    for path in class_folders.rglob("*.png"):
        path.write_bytes(POINTER)
    with pytest.raises(DataError, match=r"none of the 9 images can be read.*a Git LFS pointer"):
        load(class_folders, skip_unreadable=True)
