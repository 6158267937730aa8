"""Run folders, and links to them, whose run is replaced."""

from pathlib import Path

from clearcnn.workflows.runs.run_version import RunVersion


def make(folder: Path, content: str) -> Path:
    folder.mkdir()
    (folder / "bundle.json").write_text(content)
    return folder


def test_the_same_run_is_the_same_version(tmp_path: Path) -> None:
    folder = make(tmp_path / "run", "1")
    (tmp_path / "link").symlink_to(folder)
    version = RunVersion.find(folder)
    assert version.is_readable
    assert version.is_current()
    assert version == RunVersion.find(tmp_path / "link")


def test_a_replaced_run_is_another_version(tmp_path: Path) -> None:
    folder = make(tmp_path / "run", "1")
    before = RunVersion.find(folder)
    folder.rename(tmp_path / "old")
    assert not before.is_current()
    assert not RunVersion.find(folder).is_readable
    make(folder, "1")
    assert not before.is_current()
    assert RunVersion.find(folder) != before


def test_a_link_that_is_changed_leads_to_another_version(tmp_path: Path) -> None:
    first, second = make(tmp_path / "first", "1"), make(tmp_path / "second", "1")
    (tmp_path / "link").symlink_to(first)
    before = RunVersion.find(tmp_path / "link")
    (tmp_path / "other").symlink_to(second)
    (tmp_path / "other").replace(tmp_path / "link")
    assert RunVersion.find(tmp_path / "link") != before
    assert before.is_current()
