"""The only reader of a run folder's files rejects links out of it, pipes and devices."""

import hashlib
import os
from pathlib import Path

import pytest

from clearcnn.bundle import FileEntry
from clearcnn.bundle.members import check_member, open_member, read_member
from clearcnn.errors import BundleError

CONTENT = b"content"
ENTRY = FileEntry(hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))

pytestmark = pytest.mark.skipif(os.name == "nt", reason="pipes, devices and links are POSIX's")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "run" / "figures").mkdir(parents=True)
    (tmp_path / "run" / "file").write_bytes(CONTENT)
    (tmp_path / "run" / "figures" / "data.png").write_bytes(CONTENT)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_bytes(CONTENT)
    return tmp_path / "run"


@pytest.mark.parametrize("name", ["file", "figures/data.png", "inner", "inner folder/data.png"])
def test_files_and_links_within_the_folder_are_read(folder: Path, name: str) -> None:
    (folder / "inner").symlink_to("figures/data.png")
    (folder / "inner folder").symlink_to(folder / "figures", target_is_directory=True)
    assert read_member(folder, name, ENTRY, len(CONTENT)) == CONTENT
    check_member(folder, name, ENTRY)


def test_the_folder_itself_may_be_a_link(folder: Path) -> None:
    folder.with_name("latest").symlink_to(folder, target_is_directory=True)
    assert read_member(folder.with_name("latest"), "file", ENTRY, 100) == CONTENT


def lead_out(place: Path) -> None:
    place.symlink_to(place.parents[1] / "outside" / "file")


def lead_out_by_a_folder(place: Path) -> None:
    (place.parent / "aside").symlink_to(place.parents[1] / "outside", target_is_directory=True)
    place.symlink_to("aside/file")


def lead_to_a_device(place: Path) -> None:
    place.symlink_to("/dev/zero")


def lead_to_oneself(place: Path) -> None:
    place.symlink_to(place.name)


def lead_nowhere(place: Path) -> None:
    place.symlink_to("nothing")


def be_a_pipe(place: Path) -> None:
    os.mkfifo(place)


def lead_to_a_pipe(place: Path) -> None:
    os.mkfifo(place.with_name("pipe"))
    place.symlink_to("pipe")


def be_a_folder(place: Path) -> None:
    place.mkdir()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lead_out, "it is a link that leads out of"),
        (lead_out_by_a_folder, "it is a link that leads out of"),
        (lead_to_a_device, "it is a link that leads out of"),
        (lead_to_oneself, "it is a link"),
        (lead_nowhere, "is missing"),
        (be_a_pipe, "it is not a regular file"),
        (lead_to_a_pipe, "it is not a regular file"),
        (be_a_folder, "it is not a regular file"),
    ],
)
def test_what_is_no_file_of_the_folder_is_refused_at_once(
    make: object, words: str, folder: Path
) -> None:
    assert callable(make)
    make(folder / "other")
    for attempt in (
        lambda: open_member(folder, "other"),
        lambda: check_member(folder, "other", ENTRY),
        lambda: read_member(folder, "other", ENTRY, 100),
    ):
        with pytest.raises(BundleError, match=words):
            attempt()


@pytest.mark.parametrize(
    "name",
    ["../outside/file", "/etc/hosts", "figures/../file", "./file", "a\0b", "C:x", "", "a\\b"],
)
def test_names_that_lead_out_are_refused(name: str, folder: Path) -> None:
    with pytest.raises(BundleError, match="which is outside it"):
        open_member(folder, name)


@pytest.mark.parametrize("name", ["x" * 5_000, "\udc80"])
def test_names_that_no_file_has_are_missing(name: str, folder: Path) -> None:
    with pytest.raises(BundleError, match=r"is missing|cannot be read"):
        open_member(folder, name)


def test_size_and_hash_are_checked_on_the_bytes_that_are_given(folder: Path) -> None:
    with pytest.raises(BundleError, match="8 bytes instead of 7"):
        (folder / "file").write_bytes(CONTENT + b"x")
        read_member(folder, "file", ENTRY, 100)
    with pytest.raises(BundleError, match="other content"):
        (folder / "file").write_bytes(CONTENT.upper())
        read_member(folder, "file", ENTRY, 100)
    with pytest.raises(BundleError, match="has 7 bytes; a run with this manifest writes at most 6"):
        read_member(folder, "file", ENTRY, 6)
