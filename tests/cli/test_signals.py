"""SIGTERM during an evaluation keeps the finished folds, as Ctrl-C does."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

# `clearcnn evaluate`, which also says when a step has ended.
PROGRAM = """
import sys
from clearcnn.cli import evaluate_view
from clearcnn.cli.main import main

class Telling(evaluate_view.EvaluateDisplay):
    def on_step(self):
        print("step", flush=True)

evaluate_view.EvaluateDisplay = Telling
sys.exit(main())
"""
# Trainings that are still within their compiled program when the others have ended.
WORDS = ["evaluate", "digits", "--epochs", "20", "--no-baselines", "--no-learning-curve"]


def stop_after(steps: int, number: signal.Signals, folder: Path) -> tuple[int, str, str]:
    """Send a signal after so many folds; return status, stdout and stderr."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *WORDS, "--out", "kept"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while steps:
            steps -= process.stdout.readline() == "step\n"
        process.send_signal(number)
        shown, said = process.stdout.read(), process.stderr.read()
    return process.returncode, shown, said


def test_sigterm_keeps_the_finished_folds(tmp_path: Path) -> None:
    status, shown, said = stop_after(2, signal.SIGTERM, tmp_path)
    assert status == 128 + signal.SIGTERM, said
    assert said.split() == ["Stopped", "by", "SIGTERM."]
    assert "Partial: the evaluation was stopped after" in " ".join(shown.split())
    written = json.loads((tmp_path / "kept" / "evaluation.json").read_text(encoding="utf-8"))
    folds = written["protocols"][0]["models"][0]["folds"]
    assert written["interrupted"]
    assert 2 <= len(folds) < 14
