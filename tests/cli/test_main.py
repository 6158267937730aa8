import os
import subprocess
import sys
from typing import Any

import pytest

from clearcnn.cli.main import main
from clearcnn.errors import DataError


def run_process(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "clearcnn", *words],
        capture_output=True,
        text=True,
        check=False,
        **options,
    )


def test_help_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("usage: clearcnn VERB")
    assert captured.err == ""


def test_no_verb_shows_the_help_as_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("usage: clearcnn VERB")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["trian"], "Did you mean train?"),
        (["train", "--epoch", "3"], "clearcnn train: error: unknown option --epoch. Did you mean"),
        (["--versoin"], "unknown option --versoin. Did you mean --version?"),
        (["train", "a", "b"], "clearcnn train: error: unexpected argument 'b'."),
    ],
)
def test_wrong_usage_ends_with_2(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err


def test_wrong_usage_in_a_real_process() -> None:
    done = run_process("train", "--recpie", "tutorial")
    assert done.returncode == 2
    assert "Did you mean --recipe?" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_error_is_problem_and_remedy_without_traceback(
    fake_train: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_train.raises = DataError(
        "photos/\x1b[2J.png is truncated: 10 of 99 bytes.", remedy="Copy it again."
    )
    assert main(["train"]) == 1
    captured = capsys.readouterr()
    assert captured.err == (
        "error: photos/\\x1b[2J.png is truncated: 10 of 99 bytes.\nCopy it again.\n"
    )


def test_debug_shows_the_traceback(fake_train: Any) -> None:
    fake_train.raises = DataError("It is broken.", remedy="Mend it.")
    with pytest.raises(DataError, match="It is broken"):
        main(["train", "--debug"])


def test_an_error_in_a_real_process() -> None:
    done = run_process("train", "no/such/place", "--quiet")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "no/such/place" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Traceback" in run_process("train", "no/such/place", "--quiet", "--debug").stderr


def test_ctrl_c_before_the_first_epoch_keeps_nothing(
    fake_train: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    fake_train.raises = KeyboardInterrupt()
    assert main(["train"]) == 130
    assert "Nothing of this run was kept; earlier runs are unchanged." in capsys.readouterr().err


def test_a_closed_pipe_gives_no_traceback() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "clearcnn", "train", "--help"],
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": ""},
            check=False,
        )
    finally:
        os.close(writing)
    assert done.returncode == 141
    assert done.stderr == ""


def test_a_pipe_closed_while_training_gives_no_traceback() -> None:
    program = """
import sys, time
from clearcnn.workflows.train import train as workflow
from clearcnn.cli.main import main

def train(source, *, listener, **asked):
    try:
        listener.on_train_begin(1000)
        for epoch in range(1000):
            listener.on_epoch_end(epoch, {"loss": 0.1, "accuracy": 0.9})
            time.sleep(0.002)
    except OSError:
        raise AssertionError("it looks like trouble with the run folder")
    raise AssertionError("the training went on for nobody")

workflow.train = train
sys.exit(main(["train"]))
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith("clearcnn ")
        process.stdout.close()
        assert process.wait(timeout=60) == 141
        assert process.stderr.read() == ""


def test_a_name_of_invalid_unicode_can_be_printed(fake_train: Any) -> None:
    program = (
        "import sys; from clearcnn.cli.main import main; main(['train', 'a\\udcff', '--debug'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    first = done.stdout.splitlines()[0]
    assert first.startswith(b"clearcnn ")
    assert first.endswith(rb"reading a\udcff \u2026")
