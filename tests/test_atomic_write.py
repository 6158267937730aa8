"""Drafts: who owns one, when it is abandoned, and that what is put replaces nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clearcnn import atomic_write

HOLD = """
import os, sys
from clearcnn import atomic_write
descriptor = os.open(sys.argv[1], os.O_RDONLY)
assert atomic_write.try_lock(descriptor)
print("held", flush=True)
sys.stdin.read()
"""


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_draft_is_gone_in_the_end(tmp_path: Path) -> None:
    with pytest.raises(ValueError), atomic_write.open_draft(tmp_path, "a", mode=0o700) as draft:
        (draft / "b").mkdir()
        (draft / "b" / "c").write_bytes(b"c")
        assert draft.name.startswith(f".partial-a.{os.getpid()}@")
        assert draft.stat().st_mode & 0o077 == 0
        assert atomic_write.remove_abandoned(tmp_path) == {"a"}
        raise ValueError
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
def test_what_a_living_process_of_another_container_writes_stays(tmp_path: Path) -> None:
    # Its number is that of no process that we see, but it holds its lock.
    draft = tmp_path / atomic_write.name_draft("a", dead_process())
    draft.mkdir()
    command = [sys.executable, "-c", HOLD, str(draft)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        assert atomic_write.remove_abandoned(tmp_path) == {"a"}
        assert draft.exists()
        other.kill()
    assert atomic_write.remove_abandoned(tmp_path) == set()
    assert not draft.exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
def test_a_process_that_gets_the_number_of_a_killed_one_begins_anew(tmp_path: Path) -> None:
    left = tmp_path / atomic_write.name_draft("a", os.getpid())
    left.mkdir()
    (left / "half").write_bytes(b"h")
    with atomic_write.open_draft(tmp_path, "a") as draft:
        assert draft == left
        assert list(draft.iterdir()) == []


def test_what_is_said_to_be_left_is_what_is_left(tmp_path: Path) -> None:
    with atomic_write.open_draft(tmp_path, "a") as draft:
        assert atomic_write.describe_leftovers(draft).endswith(f"could not be removed: {draft}.")
    assert atomic_write.describe_leftovers(draft) == "The partial output has been removed."
    assert atomic_write.describe_leftovers(None) == "Nothing was written."


def test_what_only_looks_like_a_draft_is_somebody_elses(tmp_path: Path) -> None:
    name = atomic_write.name_draft("a", dead_process())
    start, _, digits = name.rpartition("~")
    others = [start, f"{start}~", f"{start}~{digits[::-1]}", f"{start}2~{digits}"]
    for other in (name, *others):
        (tmp_path / other).mkdir()
        (tmp_path / other / "content").write_bytes(b"mine")
    (tmp_path / atomic_write.name_draft("b", dead_process())).symlink_to(tmp_path / start)
    assert atomic_write.remove_abandoned(tmp_path) == set()
    assert not (tmp_path / name).exists()
    for other in others:
        assert (tmp_path / other / "content").read_bytes() == b"mine"


@pytest.mark.parametrize("links", [True, False])
def test_a_file_is_never_put_over_another(
    links: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "place").write_bytes(b"theirs")
    with atomic_write.open_draft(tmp_path, "place") as draft:
        (draft / "place").write_bytes(b"mine")
        with pytest.raises(FileExistsError):
            atomic_write.publish(draft / "place", tmp_path / "place")
        atomic_write.publish(draft / "place", tmp_path / "free")
    assert (tmp_path / "place").read_bytes() == b"theirs"
    assert (tmp_path / "free").read_bytes() == b"mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["free", "place"]


def test_a_folder_is_never_put_over_another(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "theirs").write_bytes(b"theirs")
    with atomic_write.open_draft(tmp_path, "place") as draft:
        (draft / "place").mkdir()
        with pytest.raises(FileExistsError):
            atomic_write.publish(draft / "place", tmp_path / "place")
    assert [path.name for path in (tmp_path / "place").iterdir()] == ["theirs"]
