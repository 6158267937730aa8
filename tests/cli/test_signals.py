"""SIGTERM and SIGHUP during an evaluation keep the finished folds, as Ctrl-C does."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from clearcnn.cli.signals import exit_on_signals, interrupt_on_signals
from clearcnn.errors import DataError

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
            line = process.stdout.readline()
            assert line, process.stderr.read()
            steps -= line == "step\n"
        process.send_signal(number)
        shown, said = process.stdout.read(), process.stderr.read()
    return process.returncode, shown, said


@pytest.mark.process
def test_sigterm_keeps_the_finished_folds(tmp_path: Path) -> None:
    status, shown, said = stop_after(2, signal.SIGTERM, tmp_path)
    assert status == 128 + signal.SIGTERM, said
    assert said.split() == ["Stopped", "by", "SIGTERM."]
    assert "Partial: the evaluation was stopped after" in " ".join(shown.split())
    written = json.loads((tmp_path / "kept" / "evaluation.json").read_text(encoding="utf-8"))
    folds = written["protocols"][0]["models"][0]["folds"]
    assert written["interrupted"]
    assert 2 <= len(folds) < 14


@pytest.fixture
def handled() -> Iterator[None]:
    """Handle the signals as `clearcnn VERB` does; afterwards as before."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.SIG_DFL) for number in numbers]
    exit_on_signals()
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_an_interruption_and_then_the_status(
    handled: None, number: signal.Signals
) -> None:
    kept = []

    @interrupt_on_signals()
    def check() -> None:
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            kept.append("the findings so far")

    with pytest.raises(SystemExit) as ended:
        check()
    assert ended.value.code == 128 + number
    assert kept == ["the findings so far"]
    assert signal.getsignal(number) is signal.SIG_IGN


@pytest.mark.parametrize("error", [KeyboardInterrupt, DataError("Too little.", remedy="Wait.")])
def test_the_status_is_the_signals_also_where_the_context_raises(
    handled: None, error: BaseException | type[BaseException]
) -> None:
    def stop() -> None:
        try:
            signal.raise_signal(signal.SIGHUP)
        except KeyboardInterrupt:
            raise error from None

    with pytest.raises(SystemExit) as ended, interrupt_on_signals():
        stop()
    assert ended.value.code == 128 + signal.SIGHUP


@pytest.mark.parametrize("error", [KeyboardInterrupt, DataError("No images.", remedy="Add some.")])
def test_without_a_signal_errors_pass_and_the_handlers_are_restored(
    handled: None, error: BaseException | type[BaseException]
) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)
    with pytest.raises((KeyboardInterrupt, DataError)), interrupt_on_signals():
        assert signal.getsignal(signal.SIGTERM) not in before
        raise error
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGHUP)) == before
    with pytest.raises(SystemExit) as ended:
        signal.raise_signal(signal.SIGHUP)
    assert ended.value.code == 128 + signal.SIGHUP
