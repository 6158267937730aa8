"""Runs by path, by a unique beginning, and the latest; a wrong name lists those that exist."""

import os
from pathlib import Path

import pytest

from clearcnn.bundle import MANIFEST_NAME
from clearcnn.errors import BundleError
from clearcnn.workflows.runs.find_run import find_run, find_run_to_resume, list_runs


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three runs, the middle one the newest; a folder that is no run; and an unfinished one."""
    monkeypatch.chdir(tmp_path)
    for seconds, name in ((10, "digits-1"), (30, "digits-2"), (20, "photos-1")):
        place = tmp_path / "runs" / name
        place.mkdir(parents=True)
        (place / MANIFEST_NAME).write_text("{}")
        os.utime(place, (seconds, seconds))
    (tmp_path / "runs" / "photos-explained").mkdir()
    (tmp_path / "runs" / "zoo.unfinished").mkdir()
    return tmp_path / "runs"


def test_a_path_stays_as_it_was_given(tmp_path: Path) -> None:
    assert find_run("runs/photos-1") == Path("runs/photos-1")
    # Whatever is there is for the reader to judge.
    (tmp_path / "latest").mkdir()
    assert find_run("latest") == Path("latest")


@pytest.mark.parametrize("named", ["p", "photos", "photos-1", "runs/pho"])
def test_a_unique_beginning_names_a_run(named: str) -> None:
    assert find_run(named) == Path("runs/photos-1")


def test_the_latest_is_the_newest() -> None:
    assert find_run("latest") == find_run("runs/latest") == Path("runs/digits-2")
    assert [run.name for run in list_runs(Path("runs"))] == ["digits-2", "photos-1", "digits-1"]


def test_several_are_listed() -> None:
    with pytest.raises(BundleError, match="2 runs in runs begin with that") as caught:
        find_run("digits")
    assert "runs/digits-2, runs/digits-1." in caught.value.remedy.replace("\\", "/")
    assert "photos" not in caught.value.remedy


def test_a_wrong_one_lists_those_that_exist() -> None:
    with pytest.raises(BundleError, match="cats is not a run folder, and no runs") as caught:
        find_run("cats")
    for name in ("digits-1", "digits-2", "photos-1", "latest"):
        assert name in caught.value.remedy
    assert "explained" not in caught.value.remedy
    with pytest.raises(BundleError, match="no runs in other begin"):
        find_run("other/cats")


def test_where_there_are_no_runs_the_message_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(BundleError) as caught:
        find_run("latest")
    assert "Train a model first" in caught.value.remedy


@pytest.fixture
def stopped(runs: Path) -> Path:
    """A stopped run, newer than all others."""
    place = runs / "birds.unfinished"
    place.mkdir()
    (place / "request.json").write_text("{}")
    os.utime(place, (40, 40))
    return place


def test_a_stopped_run_is_found_by_its_beginning_and_as_the_latest(stopped: Path) -> None:
    for named in ("birds", "bi", "birds.unf", "latest"):
        assert find_run_to_resume(Path(named)) == Path("runs/birds.unfinished")
    # Paths stay as they were given: this run may have stopped before its first checkpoint.
    assert find_run_to_resume(Path("runs/bir")) == Path("runs/bir")
    assert find_run_to_resume(Path("photos")) == Path("runs/photos-1")
    os.utime(stopped, (5, 5))
    assert find_run_to_resume(Path("latest")) == Path("runs/digits-2")


def test_a_run_to_resume_that_is_unclear_or_missing(stopped: Path) -> None:
    with pytest.raises(BundleError, match="digits may mean 2 runs in runs") as caught:
        find_run_to_resume(Path("digits"))
    assert "runs/digits-2" in caught.value.remedy.replace("\\", "/")
    assert find_run_to_resume(Path("cats")) == Path("cats")
    assert find_run_to_resume(Path("/")) == Path("/")
