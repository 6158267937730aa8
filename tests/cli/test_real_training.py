"""The command as people run it: a process of its own, training for real."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

TRAIN = [sys.executable, "-m", "clearcnn", "train", "--recipe", "tutorial"]


def test_json_on_stdout_equals_the_file_in_the_run_folder(tmp_path: Path) -> None:
    done = subprocess.run(
        [*TRAIN, "--epochs", "8", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads(done.stdout)
    score = result["test"]["score"]
    assert result["data"]["shape"] == [1797, 8, 8]
    assert [result["data"][part] for part in ("train", "validation", "test")] == [1005, 252, 540]
    assert score["total"] == 540
    assert score["accuracy"] > 0.85
    assert f"{score['correct']:,} of 540 test images correct" in done.stderr
    assert (Path(result["run_folder"]) / "report.html").is_file()
    assert [folder.name for folder in (tmp_path / "runs").iterdir()] == [
        Path(result["run_folder"]).name
    ]


@pytest.mark.release
def test_ctrl_c_while_training_keeps_the_model(tmp_path: Path) -> None:
    with subprocess.Popen(
        [*TRAIN, "--epochs", "6000"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert any(line.startswith("  epoch  600 of 6000") for line in process.stdout)
        process.send_signal(signal.SIGINT)
        shown = process.stdout.read()
        said = process.stderr.read()
    assert process.returncode == 130, said
    (folder,) = (tmp_path / "runs").iterdir()
    assert f"saved in runs/{folder.name}" in said
    assert "  test accuracy  " in shown
    assert (folder / "model.keras").is_file()
    assert json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["interrupted"] is True
