"""Ctrl-C leaves a complete, truthful run folder or nothing."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import clearcnn
from clearcnn.bundle import read_bundle
from clearcnn.specs import ModelSpec
from clearcnn.workflows.train import pipeline as train_workflow

pytestmark = pytest.mark.process


def check_that_history_and_model_agree(folder: Path, images: np.ndarray, labels: np.ndarray) -> int:
    """Assert that the last val_loss is that of the saved model; return the number of epochs."""
    import keras

    bundle = read_bundle(folder)
    kept = json.loads((bundle.folder / "metrics.json").read_text(encoding="utf-8"))
    assert kept["interrupted"] is True
    history = kept["history"]
    losses = history["metrics"]["val_loss"]
    assert history["best_epoch"] == len(losses) - 1
    model = keras.saving.load_model(bundle.folder / "model.keras")
    probabilities = np.maximum(model.predict(images, verbose=0), 1e-7)
    smoothing = kept["train"]["label_smoothing"]
    # Szegedy 2016: the share `smoothing` of the target is spread over all classes.
    target = (1 - smoothing) * np.eye(probabilities.shape[1])[labels]
    target += smoothing / probabilities.shape[1]
    loss = -np.mean(np.sum(target * np.log(probabilities), axis=1))
    assert loss == pytest.approx(losses[-1], rel=1e-5)
    return len(losses)


@pytest.mark.parametrize("way", ["exception", "signal"])
@pytest.mark.parametrize("recipe", ["default", "tutorial"])
def test_the_model_is_that_of_the_last_epoch(
    recipe: str, way: str, noise: Any, flat: ModelSpec, make_ear: Any, tmp_path: Path
) -> None:
    images = noise(parts=(36, 12, 12))
    ear = make_ear(interrupt_after=2, way=way)
    # So many epochs that no chunk of the tutorial's, a tenth of a second long, ends them.
    result = clearcnn.train(
        images, recipe=recipe, model=flat, epochs=99_999, out=tmp_path / "run", listener=ear
    )
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert result.interrupted
    # Twelve test images are too few, whatever came out.
    assert ear.names[-2:] == ["end", "warning"]
    assert ear.heard[-2][1:] == (result.history, True)
    assert 2 <= result.history.num_epochs < 99_999
    assert list(tmp_path.iterdir()) == [result.run_folder]
    epochs = check_that_history_and_model_agree(
        result.run_folder, images.images[36:48], images.labels[36:48]
    )
    assert epochs == result.history.num_epochs
    report = (result.run_folder / "report.html").read_text(encoding="utf-8")
    assert f"Training was interrupted after {epochs:,} epochs" in report


def test_with_a_callback_per_epoch_no_further_epoch_runs(
    noise: Any, flat: ModelSpec, make_ear: Any, tmp_path: Path
) -> None:
    ear = make_ear(interrupt_after=2)
    result = clearcnn.train(noise(), model=flat, epochs=50, out=tmp_path / "run", listener=ear)
    assert (result.history.num_epochs, result.history.best_epoch) == (2, 1)
    assert ear.names == ["data", "model", "begin", "epoch", "epoch", "end", "warning"]


def test_a_second_ctrl_c_leaves_nothing(
    noise: Any, flat: ModelSpec, make_ear: Any, tmp_path: Path
) -> None:
    ear = make_ear(interrupt_after=3, way="signal, twice")
    with pytest.raises(KeyboardInterrupt):
        clearcnn.train(noise(), model=flat, epochs=50, out=tmp_path / "run", listener=ear)
    assert ear.names[-1] == "epoch"
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_first_epoch_is_enough(
    noise: Any, flat: ModelSpec, make_ear: Any, tmp_path: Path
) -> None:
    ear = make_ear(interrupt_after=1)
    result = clearcnn.train(noise(), model=flat, epochs=50, out=tmp_path / "run", listener=ear)
    assert (result.interrupted, result.history.num_epochs) == (True, 1)
    assert read_bundle(result.run_folder).manifest.train.epochs == 50


def interrupt_at(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def strike(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(place, strike)


@pytest.mark.parametrize(
    "place",
    [
        "clearcnn.data.load",
        "clearcnn.models.build_model",
        "clearcnn.training.fit",
        # Within `fit`, while its program is traced: Keras has a History then, but without epochs.
        "keras.Model.train_step",
        "clearcnn.report.write_report",
    ],
)
def test_before_the_first_epoch_or_while_writing_nothing_is_left(
    place: str, flat: ModelSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    interrupt_at(place, monkeypatch)
    rows = "label," + ",".join(f"p{k}" for k in range(16)) + "\n"
    rows += "".join(f"{k % 3}," + ",".join(str(k + j) for j in range(16)) + "\n" for k in range(30))
    (tmp_path / "pixels.csv").write_text(rows, encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        clearcnn.train("pixels.csv", model=flat, epochs=1, batch_size=len(place))
    assert [path.name for path in tmp_path.iterdir()] == ["pixels.csv"]


@pytest.fixture
def long_source(tmp_path: Path) -> Path:
    """Enough data that a training is still running when Ctrl-C comes."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 4, 3000)
    images = random.integers(0, 100, (3000, 12, 12), np.uint8)
    images[np.arange(3000), 3 * (labels // 2), 3 + labels % 2] += 100
    part = {"train": slice(2000), "val": slice(2000, 2500), "test": slice(2500, None)}
    arrays = {f"x_{name}": images[rows] for name, rows in part.items()}
    arrays |= {f"y_{name}": labels[rows] for name, rows in part.items()}
    np.savez(tmp_path / "long.npz", **arrays)
    return tmp_path / "long.npz"


def interrupt_process(
    home: Path, words: list[str], is_time: Callable[[str], bool], *, reads_on: bool = True
) -> tuple[int, str]:
    """Run `clearcnn train`, and send SIGINT when a line on stdout says so.

    Args:
      home: the working directory.
      words: options of `train`.
      is_time: whether a line of stdout is the one to interrupt at.
      reads_on: whether stdout is read to its end; otherwise it is closed after the signal.
    Returns:
      Exit status and stderr.
    """
    with subprocess.Popen(
        [sys.executable, "-m", "clearcnn", "train", *words],
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert any(is_time(line) for line in process.stdout), process.stderr.read()
        process.send_signal(signal.SIGINT)
        if reads_on:
            process.stdout.read()
        else:
            process.stdout.close()
        said = process.stderr.read()
    return process.returncode, said


def test_a_process_interrupted_in_training_leaves_a_complete_run(long_source: Path) -> None:
    home = long_source.parent
    words = ["long.npz", "--epochs", "9000", "--batch-size", "500", "--recipe", "tutorial"]
    status, said = interrupt_process(home, words, lambda line: line.startswith("  epoch    1 of"))
    assert status == 130, said
    assert "Traceback" not in said
    (folder,) = (home / "runs").iterdir()
    assert f"saved in runs/{folder.name}" in said
    with np.load(long_source) as arrays:
        images, labels = arrays["x_val"][..., np.newaxis], arrays["y_val"]
    assert 1 <= check_that_history_and_model_agree(folder, images, labels) < 9000


@pytest.mark.release
def test_a_process_interrupted_while_compiling_leaves_nothing(long_source: Path) -> None:
    home = long_source.parent
    words = ["long.npz", "--epochs", "9", "--recipe", "tutorial"]
    status, said = interrupt_process(home, words, lambda line: "compiling" in line)
    assert status == 130, said
    assert "Traceback" not in said
    assert "Nothing of this run was kept" in said
    assert [path.name for path in home.iterdir()] == ["long.npz"]


@pytest.mark.parametrize("place", ["score_plan", "fit_confidence", "write_onnx", "save_run"])
def test_ctrl_c_after_training_is_reported_and_loses_nothing(
    place: str, noise: Any, flat: ModelSpec, make_ear: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    step, ear = getattr(train_workflow, place), make_ear()

    def strike(*words: Any, **options: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return step(*words, **options)

    monkeypatch.setattr(train_workflow, place, strike)
    result = clearcnn.train(noise(), model=flat, epochs=2, out=tmp_path / "run", listener=ear)
    assert "late interrupt" in ear.names
    assert (result.interrupted, result.history.num_epochs) == (False, 2)
    assert read_bundle(tmp_path / "run").manifest.train.epochs == 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_after_training_discards_the_run(
    noise: Any, flat: ModelSpec, tmp_path: Path, monkeypatch: Any
) -> None:
    def strike(*_: Any, **__: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it went on")

    monkeypatch.setattr(train_workflow, "save_run", strike)
    with pytest.raises(KeyboardInterrupt):
        clearcnn.train(noise(), model=flat, epochs=1, out=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.release
def test_a_pipe_reader_killed_by_ctrl_c_costs_no_run(long_source: Path) -> None:
    home = long_source.parent
    words = ["long.npz", "--epochs", "9000", "--batch-size", "500", "--recipe", "tutorial"]
    found = interrupt_process(
        home, words, lambda line: line.startswith("  epoch    1 of"), reads_on=False
    )
    assert found == (141, "")
    (folder,) = (home / "runs").iterdir()
    assert json.loads((folder / "metrics.json").read_text("utf-8"))["interrupted"] is True
