"""Which models are served, and what happens when a run folder is replaced."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clearcnn.errors import BundleError, SpecError
from clearcnn.web import run_watcher
from clearcnn.web.http_errors import Refusal
from clearcnn.web.run_watcher import RunWatcher


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_watcher, "_SECONDS_BETWEEN_CHECKS", 0.0)
    monkeypatch.setattr(run_watcher, "_SECONDS_BETWEEN_RETRIES", 0.0)


def test_models_are_called_as_their_folders(digits_run: Path, colours_run: Path) -> None:
    watcher = RunWatcher([colours_run, digits_run])
    assert watcher.names == ("colours", "digits")
    assert watcher.first.name == "colours"
    with pytest.raises(Refusal) as refused:
        watcher.get("other")
    assert refused.value.status == 404
    watcher.close()


def test_what_cannot_be_served_is_refused(digits_run: Path, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="no model"):
        RunWatcher([])
    with pytest.raises(SpecError, match="Two run folders are called digits"):
        RunWatcher([digits_run, digits_run])
    with pytest.raises(BundleError):
        RunWatcher([tmp_path])


async def wait_for(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


def swap(new: Path, place: Path) -> None:
    old = place.with_name("old")
    place.rename(old)
    new.rename(place)
    shutil.rmtree(old)


def test_a_replaced_folder_is_loaded_anew_and_the_old_answers_meanwhile(
    run_loop, digits_run: Path, colours_run: Path, tmp_path: Path
) -> None:
    place, new = tmp_path / "model", tmp_path / "new"
    shutil.copytree(digits_run, place)
    shutil.copytree(colours_run, new)
    heard: list[Any] = []

    async def play() -> None:
        watcher = RunWatcher([place], lambda *what: heard.append(what))
        before = watcher.get()
        assert watcher.get() is before
        swap(new, place)
        assert watcher.get() is before  # Noticed now, but loaded in a thread.
        await wait_for(lambda: watcher.get() is not before)
        assert sorted(watcher.get("model").class_names) == ["b", "g", "r"]
        assert (
            len(before.class_names) == 10
        )  # Requests that started with the old one finish with it.
        watcher.close()

    run_loop(play())
    assert heard == [("model", True)]


def test_a_link_may_be_turned_to_another_run(
    run_loop, digits_run: Path, colours_run: Path, tmp_path: Path
) -> None:
    link, turned = tmp_path / "current", tmp_path / "turned"
    link.symlink_to(digits_run)

    async def play() -> None:
        watcher = RunWatcher([link])
        assert len(watcher.get("current").class_names) == 10
        turned.symlink_to(colours_run)
        turned.replace(link)
        await wait_for(lambda: len(watcher.get().class_names) == 3)
        watcher.close()

    run_loop(play())


def test_a_broken_or_missing_folder_leaves_the_old_model(
    run_loop, digits_run: Path, colours_run: Path, tmp_path: Path
) -> None:
    place = tmp_path / "model"
    shutil.copytree(digits_run, place)
    heard: list[Any] = []

    async def play() -> None:
        watcher = RunWatcher([place], lambda *what: heard.append(what))
        before = watcher.get()
        shutil.rmtree(place)
        for _ in range(3):
            assert watcher.get() is before
        broken = tmp_path / "broken"
        shutil.copytree(colours_run, broken)
        (broken / "model.onnx").write_bytes(b"other")
        broken.rename(place)
        watcher.get()
        await wait_for(lambda: len(heard) >= 1)
        assert watcher.get() is before
        new = tmp_path / "new"
        shutil.copytree(colours_run, new)
        swap(new, place)
        await wait_for(lambda: watcher.get() is not before)
        watcher.close()

    run_loop(play())
    assert heard[0] == ("model", False)
    assert heard[-1] == ("model", True)
