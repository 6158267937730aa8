"""`NAME.unfinished`: what is read from it is a regular file; what is removed from it is ours."""

import os
from pathlib import Path
from typing import Any

import pytest

import clearcnn
from clearcnn.checkpoints import Checkpoint, CheckpointFolder
from clearcnn.data import LabelledImages
from clearcnn.errors import BundleError, ClearCNNError
from clearcnn.specs import ModelSpec

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes among files"),
]


class PowerCutError(Exception):
    pass


@pytest.fixture
def images(noise: Any) -> LabelledImages:
    return noise(parts=(36, 12, 12))


@pytest.fixture
def train(images: LabelledImages, flat: ModelSpec, tmp_path: Path) -> Any:
    def begin(**options: Any) -> Any:
        given = {"epochs": 4, "model": flat, "out": tmp_path / "run", "checkpoint_seconds": 0}
        return clearcnn.train(images, **(given | options))

    return begin


@pytest.fixture
def cut(make_ear: Any) -> Any:
    """Make an ear that ends a training after two epochs, as a power cut would."""

    def make() -> Any:
        ear = make_ear()

        def on_epoch_end(epoch: int, metrics: dict[str, float]) -> None:
            if epoch == 1:
                raise PowerCutError

        ear.on_epoch_end = on_epoch_end
        return ear

    return make


@pytest.fixture
def stopped(train: Any, cut: Any, tmp_path: Path) -> Path:
    with pytest.raises(PowerCutError):
        train(listener=cut())
    return tmp_path / "run.unfinished"


def look(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def put(kind: str, path: Path) -> None:
    path.unlink(missing_ok=True)
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    else:
        path.symlink_to({"an endless device": "/dev/zero", "a link": "/etc/passwd"}[kind])


KINDS = ("a pipe", "an endless device", "a link", "a folder")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["request.json", "epoch-000001.npz"])
def test_what_is_no_regular_file_is_one_message(
    name: str, kind: str, stopped: Path, images: LabelledImages
) -> None:
    for path in stopped.glob("epoch-*"):
        if name != "request.json":
            path.unlink()
    put(kind, stopped / name)
    with pytest.raises(ClearCNNError, match=r"is not a regular file|is a link") as caught:
        clearcnn.train(images, resume=stopped)
    assert str(stopped / name) in caught.value.problem
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_a_newest_checkpoint_that_is_no_file_is_passed_over_and_left(
    kind: str, stopped: Path, images: LabelledImages, make_ear: Any
) -> None:
    put(kind, stopped / "epoch-000009.npz")
    ear = make_ear()
    result = clearcnn.train(images, resume=stopped, listener=ear)
    assert result.history.num_epochs == 4
    said = [event[1] for event in ear.heard if event[0] == "warning"]
    assert any("epoch-000009.npz cannot be resumed" in each for each in said)


def test_a_lock_that_is_a_link_or_a_pipe_harms_nothing(
    stopped: Path, images: LabelledImages, tmp_path: Path
) -> None:
    mine = tmp_path / "mine"
    mine.write_bytes(b"mine")
    (stopped / "lock").unlink()
    (stopped / "lock").symlink_to(mine)
    with pytest.raises(ClearCNNError, match="cannot be locked"):
        clearcnn.train(images, resume=stopped)
    assert mine.read_bytes() == b"mine"


def test_a_request_of_many_values_is_refused(stopped: Path, images: LabelledImages) -> None:
    (stopped / "request.json").write_text("[" + "{}," * 2_000_000 + "{}]")
    with pytest.raises(BundleError, match="at most 4,194,304 are read"):
        clearcnn.train(images, resume=stopped)


@pytest.mark.parametrize("content", [None, b"{}", b'{"schema_version": 1}', b"mine"])
def test_a_folder_of_that_name_that_is_not_ours_is_refused_and_stays(
    content: bytes | None, train: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "run.unfinished"
    (folder / "thesis").mkdir(parents=True)
    (folder / "thesis" / "chapter.txt").write_bytes(b"a year of work")
    (folder / "epoch-000001.npz").write_bytes(b"mine, too")
    if content is not None:
        (folder / "request.json").write_bytes(content)
    before = look(tmp_path)
    with pytest.raises(BundleError, match="is not an unfinished run") as caught:
        train()
    assert "give another path with --out" in caught.value.remedy
    assert "--resume" not in caught.value.remedy
    assert look(tmp_path) == before


@pytest.mark.parametrize("kind", ["a file", "an empty folder", "a dangling link"])
def test_whatever_has_that_name_is_refused_and_stays(kind: str, train: Any, tmp_path: Path) -> None:
    place = tmp_path / "run.unfinished"
    if kind == "a file":
        place.write_bytes(b"mine")
    elif kind == "an empty folder":
        place.mkdir()
    else:
        place.symlink_to(tmp_path / "nowhere")
    with pytest.raises(BundleError, match="is not an unfinished run"):
        train()
    assert os.path.lexists(place)


def test_a_folder_that_appears_while_it_trains_stays(
    train: Any, make_ear: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "run.unfinished"
    ear = make_ear()

    def on_train_begin(epochs: int) -> None:
        folder.mkdir()
        (folder / "mine.txt").write_bytes(b"mine")

    ear.on_train_begin = on_train_begin
    result = train(listener=ear)
    assert result.run_folder == tmp_path / "run"
    assert look(folder) == {"mine.txt": b"mine"}
    (said,) = [each for each in result.warnings if "No checkpoint can be written" in each]
    assert "If it is interrupted, it must start again from the first epoch." in said


def test_what_others_put_into_our_folder_stays_and_is_said(
    stopped: Path, images: LabelledImages, make_ear: Any
) -> None:
    (stopped / "notes.txt").write_bytes(b"mine")
    (stopped / "more").mkdir()
    (stopped / "more" / ".partial-a.1").write_bytes(b"mine")
    (stopped / ".partial-mine.2").write_bytes(b"mine")
    ear = make_ear()
    clearcnn.train(images, resume=stopped, listener=ear)
    assert set(look(stopped)) == {"notes.txt", "more/.partial-a.1", ".partial-mine.2"}
    said = ear.heard[-1]
    assert said[0] == "warning"
    assert "(.partial-mine.2, more, notes.txt); they were left there" in said[1]


def test_a_folder_of_checkpoints_keeps_what_is_not_ours(tmp_path: Path) -> None:
    mine = {
        "epoch-000001.npz": b"mine",
        "epoch-000003.npz": b"mine, of the same name",
        "epoch-000999.npz": b"mine, later",
        ".partial-mine.1": b"mine, half done",
    }
    for name, content in mine.items():
        (tmp_path / name).write_bytes(content)
    store = CheckpointFolder(tmp_path)
    with store.locked():
        for epoch in (2, 4, 5, 6):
            store.save(Checkpoint({"epoch": epoch}, {}))
        with pytest.raises(ClearCNNError, match=r"epoch-000003.npz exists and is not a valid"):
            store.save(Checkpoint({"epoch": 3}, {}))
    there = look(tmp_path)
    assert mine.items() <= there.items()
    assert set(there) == {*mine, "lock", "epoch-000005.npz", "epoch-000006.npz"}


def test_of_two_runs_of_one_name_each_can_be_named(
    stopped: Path, train: Any, images: LabelledImages, flat: ModelSpec, tmp_path: Path
) -> None:
    # Two trainings to one place: one was killed, the other one took the place.
    aside = tmp_path / "aside"
    stopped.rename(aside)
    finished = train(epochs=1).run_folder
    aside.rename(stopped)
    with pytest.raises(BundleError, match="may mean two runs") as caught:
        clearcnn.train(images, resume=finished)
    assert f"--resume {stopped}" in caught.value.remedy
    result = clearcnn.train(images, resume=stopped)
    assert result.run_folder == tmp_path / "run-2"
    assert result.history.num_epochs == 4
    assert any("so this run became run-2" in each for each in result.warnings)
    assert not stopped.exists()
    assert clearcnn.train(images, resume=finished, epochs=2, out=tmp_path / "on")


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full when the run is to be written."""

    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("clearcnn.bundle.write_manifest", fail)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_says_what_is_kept(train: Any, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="No space left on device") as caught:
        train()
    assert [path.name for path in tmp_path.iterdir()] == ["run.unfinished"]
    said = caught.value.remedy
    assert "left behind" not in said
    assert "The partial output has been removed." in said
    assert f"epoch-000004.npz is kept in {tmp_path / 'run.unfinished'}. Resume with" in said


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_without_checkpoints_says_that_nothing_is_left(
    train: Any, tmp_path: Path
) -> None:
    with pytest.raises(BundleError, match="No space left on device") as caught:
        train(checkpoint_seconds=30)
    assert list(tmp_path.iterdir()) == []
    assert caught.value.remedy.endswith("The partial output has been removed.")
