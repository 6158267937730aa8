"""Stopped runs that are resumed, finished runs that are extended, and rejected ones."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clearcnn
from clearcnn.bundle import read_bundle
from clearcnn.bundle.unfinished_run import UnfinishedRun, is_finished_as, read_request
from clearcnn.checkpoints import Checkpoint, CheckpointFolder
from clearcnn.data import LabelledImages
from clearcnn.errors import (
    BundleError,
    CheckpointError,
    DataError,
    DivergenceError,
    SpecError,
)
from clearcnn.specs import ModelSpec

SAME = ("checkpoint.npz", "history.csv", "predictions.csv", "model.onnx", "model.toml")


class PowerCutError(Exception):
    pass


def stop_after(make_ear: Any, epochs: int) -> Any:
    """A listener that ends a training like a power cut: checkpoints are not cleaned up."""
    ear = make_ear()

    def cut(epoch: int, metrics: dict[str, float]) -> None:
        if epoch + 1 == epochs:
            raise PowerCutError

    ear.on_epoch_end = cut
    return ear


@pytest.fixture
def images(noise: Any) -> LabelledImages:
    return noise(parts=(36, 12, 12))


def start(
    images: LabelledImages, flat: ModelSpec, out: Path, ear: Any = None, **options: Any
) -> Any:
    """Train with everything that has a state: augmentation, one cycle, early stopping."""
    return clearcnn.train(
        images, model=flat, epochs=8, out=out, listener=ear, checkpoint_seconds=0, **options
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def assert_same(run: Path, other: Path) -> None:
    for name in SAME:
        assert (run / name).read_bytes() == (other / name).read_bytes(), name


@pytest.mark.parametrize("spelling", ["run", "run.unfinished"])
def test_a_resumed_run_ends_in_the_same_bits(
    spelling: str, images: LabelledImages, flat: ModelSpec, make_ear: Any, tmp_path: Path
) -> None:
    never = start(images, flat, tmp_path / "never")
    for until in (3, 5):
        with pytest.raises(PowerCutError):
            options: dict[str, Any] = {"listener": stop_after(make_ear, until)}
            if until == 3:
                start(images, flat, tmp_path / "run", options["listener"])
            else:
                clearcnn.train(images, resume=tmp_path / spelling, checkpoint_seconds=0, **options)
        assert names(tmp_path) == ["never", "run.unfinished"]
        assert CheckpointFolder(tmp_path / "run.unfinished").load().epoch == until - 1
    ear = make_ear()
    heard: list[Any] = []
    ear.on_resume = heard.append
    ear.on_checkpoint = heard.append
    result = clearcnn.train(images, resume=tmp_path / spelling, listener=ear)
    assert names(tmp_path) == ["never", "run"]
    assert result.run_folder == tmp_path / "run"
    assert_same(tmp_path / "run", tmp_path / "never")
    assert result.history == never.history
    assert result.test == never.test
    assert heard == [tmp_path / "run.unfinished", 4]
    assert [event[1] for event in ear.heard if event[0] == "epoch"] == [4, 5, 6, 7]
    assert "went on after epoch 4" in result.warnings[0]
    ours, theirs = (read_bundle(tmp_path / name).manifest for name in ("run", "never"))
    assert (ours.data, ours.split, ours.train) == (theirs.data, theirs.split, theirs.train)


def test_an_extended_run_ends_in_the_same_bits(
    images: LabelledImages, flat: ModelSpec, tmp_path: Path
) -> None:
    options: dict[str, Any] = {"recipe": "tutorial", "model": flat}
    clearcnn.train(images, epochs=7, out=tmp_path / "once", **options)
    clearcnn.train(images, epochs=3, out=tmp_path / "short", **options)
    before = {path: path.read_bytes() for path in (tmp_path / "short").rglob("*") if path.is_file()}
    result = clearcnn.train(images, resume=tmp_path / "short", epochs=7, out=tmp_path / "long")
    for name in SAME:
        if name != "checkpoint.npz":
            assert (tmp_path / "long" / name).read_bytes() == (
                tmp_path / "once" / name
            ).read_bytes(), name
    assert result.train.epochs == 7
    assert result.warnings[0] == "The first 3 epochs are those of the run short."
    assert {path: path.read_bytes() for path in before} == before
    assert names(tmp_path) == ["long", "once", "short"]


def test_an_extended_one_cycle_schedule_is_reported(
    images: LabelledImages, flat: ModelSpec, tmp_path: Path
) -> None:
    start(images, flat, tmp_path / "short")
    result = clearcnn.train(images, resume=tmp_path / "short", epochs=12, out=tmp_path / "long")
    assert result.history.num_epochs == 12
    assert "the others follow a cycle planned for 12" in result.warnings[1]
    # Ctrl-C before the first new checkpoint leaves nothing; an extension is a run like others.
    assert (tmp_path / "long" / "checkpoint.npz").is_file()


def test_a_run_stopped_by_ctrl_c_is_resumed(
    images: LabelledImages, flat: ModelSpec, make_ear: Any, tmp_path: Path
) -> None:
    start(images, flat, tmp_path / "never")
    stopped = start(images, flat, tmp_path / "stopped", make_ear(interrupt_after=3))
    assert stopped.interrupted
    result = clearcnn.train(images, resume=tmp_path / "stopped", out=tmp_path / "whole")
    assert not result.interrupted
    assert_same(tmp_path / "whole", tmp_path / "never")


def test_a_run_stopped_by_a_second_ctrl_c_can_be_resumed(
    images: LabelledImages, flat: ModelSpec, make_ear: Any, tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        start(images, flat, tmp_path / "run", make_ear(interrupt_after=3, way="signal, twice"))
    assert names(tmp_path) == ["run.unfinished"]
    result = clearcnn.train(images, resume=tmp_path / "run")
    assert result.history.num_epochs == 8


def test_a_short_run_keeps_its_last_state_only(
    images: LabelledImages, flat: ModelSpec, make_ear: Any, tmp_path: Path
) -> None:
    ear = make_ear()
    heard: list[Any] = []
    ear.on_checkpoint = heard.append
    clearcnn.train(images, model=flat, epochs=2, out=tmp_path / "run", listener=ear)
    assert heard == []
    assert "checkpoint.npz" in read_bundle(tmp_path / "run").manifest.files


@pytest.mark.parametrize("content", ["[" * 100_000, "[]", "{}"], ids=["deep", "a list", "empty"])
def test_a_damaged_folder_does_not_count_as_finished(content: str, stopped: Path) -> None:
    stopped.mkdir()
    (stopped / "bundle.json").write_text(content)
    assert not is_finished_as(stopped.with_name("run.unfinished"), stopped)


def test_a_process_without_the_folder_does_not_remove_it(stopped: Path) -> None:
    folder = stopped.with_name("run.unfinished")
    request = read_request(folder)
    files = CheckpointFolder(folder)
    ours, theirs = (
        UnfinishedRun(each, request, on_first=print, on_trouble=print)
        for each in (files, CheckpointFolder(folder))
    )
    with files.locked():
        ours.save(Checkpoint({"epoch": 4}, {}), is_last=False)
        assert theirs.remove() == ()
        assert (folder / "epoch-000004.npz").exists()
        assert ours.remove() == ()
    assert not folder.exists()


@pytest.fixture
def stopped(images: LabelledImages, flat: ModelSpec, make_ear: Any, tmp_path: Path) -> Path:
    with pytest.raises(PowerCutError):
        start(images, flat, tmp_path / "run", stop_after(make_ear, 3))
    return tmp_path / "run"


def test_a_new_run_of_that_name_raises(
    stopped: Path, images: LabelledImages, flat: ModelSpec
) -> None:
    with pytest.raises(BundleError, match="has an unfinished run") as caught:
        start(images, flat, stopped)
    assert f"clearcnn train --resume {stopped}" in caught.value.remedy


def test_two_processes_cannot_resume_one_run(
    stopped: Path, images: LabelledImages, flat: ModelSpec
) -> None:
    other = CheckpointFolder(stopped.with_name("run.unfinished"))
    with other.locked(), pytest.raises(CheckpointError, match="Another process is training"):
        clearcnn.train(images, resume=stopped)
    with other.locked(), pytest.raises(CheckpointError, match="Another process is training") as got:
        start(images, flat, stopped)
    assert "Delete" not in got.value.remedy


def test_other_images_raise(
    stopped: Path, images: LabelledImages, noise: Any, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="has changed since the run began"):
        clearcnn.train(noise(), resume=stopped)
    with pytest.raises(DataError) as caught:
        clearcnn.train(resume=stopped)
    assert "pass them again" in caught.value.remedy
    assert names(tmp_path) == ["run.unfinished"]
    assert clearcnn.train(images, resume=stopped).history.num_epochs == 8


def test_more_epochs_for_an_unfinished_run(stopped: Path, images: LabelledImages) -> None:
    with pytest.raises(SpecError, match="already has 2"):
        clearcnn.train(images, resume=stopped, epochs=2)
    assert clearcnn.train(images, resume=stopped, epochs=10).history.num_epochs == 10


def test_a_run_that_ended_during_cleanup_counts_as_finished(
    images: LabelledImages, flat: ModelSpec, tmp_path: Path
) -> None:
    run = start(images, flat, tmp_path / "run").run_folder
    left = tmp_path / "run.unfinished"
    left.mkdir()
    (left / "request.json").write_text("{}")
    (left / "epoch-000008.npz").write_bytes((run / "checkpoint.npz").read_bytes())
    with pytest.raises(SpecError, match="is finished: it was trained for up to 8 epochs"):
        clearcnn.train(images, resume=run)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda values: values | {"schema_version": 99}, "schema version is 99"),
        (lambda values: values | {"train": 3}, "request.train is 3"),
        (lambda values: [values], "is damaged"),
    ],
)
def test_a_damaged_request_is_one_error(
    change: Any, what: str, stopped: Path, images: LabelledImages
) -> None:
    path = stopped.with_name("run.unfinished") / "request.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(BundleError, match=what):
        clearcnn.train(images, resume=stopped)


@pytest.mark.parametrize("place", ["nothing", ".", "..", "/", ".unfinished"])
def test_resuming_something_else_raises(
    place: str, tmp_path: Path, images: LabelledImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BundleError, match="is not a run to resume"):
        clearcnn.train(images, resume=place)


def test_a_run_is_resumed_from_within_its_folder(
    stopped: Path, images: LabelledImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stopped.with_name("run.unfinished"))
    assert clearcnn.train(images, resume=".").run_folder == stopped


def test_options_of_the_run_raise_with_resume(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="resume was given together with seed, which the run"):
        clearcnn.train("photos", resume=tmp_path, seed=1)


def test_a_full_disk_is_a_warning(
    images: LabelledImages, flat: ModelSpec, make_ear: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("clearcnn.checkpoints.write_whole", fail)
    monkeypatch.setattr("clearcnn.bundle.unfinished_run.write_whole", fail)
    result = start(images, flat, tmp_path / "run", make_ear())
    (said,) = [each for each in result.warnings if "No space left" in each]
    assert "Training continues" in said
    assert read_bundle(result.run_folder).manifest.warnings == result.warnings


def test_a_diverged_run_keeps_the_last_finite_epoch(
    images: LabelledImages, flat: ModelSpec, make_ear: Any, tmp_path: Path
) -> None:
    ear = make_ear()
    # AdamW multiplies the weights by 1 - rate · decay in each step, and the rate rises.
    result = clearcnn.train(
        images, model=flat, learning_rate=1e4, epochs=200, out=tmp_path / "run", listener=ear
    )
    assert result.divergence is not None
    assert result.history.num_epochs == result.divergence.epoch > 0
    assert all(np.isfinite(values).all() for values in result.history.metrics.values())
    assert "The learning rate of AdamW was" in result.divergence.causes[-1]
    assert any("Likely causes" in event[1] for event in ear.heard if event[0] == "warning")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["divergence"]["epoch"] == result.divergence.epoch
    report = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Stopped by NaN or infinite values" in report
    with pytest.raises(BundleError, match=r"diverged \(NaN or infinity\)"):
        clearcnn.train(images, resume=tmp_path / "run", epochs=300)


def test_divergence_in_the_first_epoch_leaves_no_run(
    images: LabelledImages, flat: ModelSpec, tmp_path: Path
) -> None:
    with pytest.raises(DivergenceError, match="no epoch was finished"):
        clearcnn.train(images, model=flat, learning_rate=1e38, epochs=3, out=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
