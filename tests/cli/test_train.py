import io
import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clearcnn.cli.console import Console
from clearcnn.cli.main import main
from clearcnn.cli.progress import TrainDisplay
from clearcnn.results.json_codec import to_json
from clearcnn.results.train import Divergence, TrainResult
from clearcnn.specs import DataSpec
from clearcnn.version import __version__

Capture = pytest.CaptureFixture[str]


def test_missing_options_are_left_to_the_recipe(fake_train: Any, capsys: Capture) -> None:
    assert main(["train"]) == 0
    assert fake_train.asked == {
        "source": DataSpec(),
        "recipe": "default",
        "model": None,
        "epochs": None,
        "batch_size": None,
        "learning_rate": None,
        "seed": 777,
        "split": None,
        "test_fraction": None,
        "validation_fraction": None,
        "augment": None,
        "flip": None,
        "budget": None,
        "out": None,
        "resume": None,
        "checkpoint_seconds": 30.0,
        "command": "clearcnn train",
        "language": "en",
    }


def test_every_option_reaches_the_workflow(fake_train: Any, capsys: Capture) -> None:
    words = [
        *("train", "my photos/", "--recipe", "tutorial", "--model", "model.toml", "--epochs", "3"),
        *("--batch-size", "16", "--learning-rate", "0.01", "--seed", "5"),
        *("--test-fraction", "0.25", "--validation-fraction", "0", "--split", "group"),
        *("--out", "runs/mine", "--size", "28x20", "--color-mode", "rgb"),
        *("--augment", "shift,zoom", "--no-flip"),
        *("--classes", "cat,dog", "--skip-unreadable", "--quiet", "--checkpoint-seconds", "5"),
    ]
    assert main(words) == 0
    assert fake_train.asked == {
        "source": DataSpec("my photos/", (28, 20), "rgb", ("cat", "dog"), True),
        "recipe": "tutorial",
        "model": Path("model.toml"),
        "epochs": 3,
        "batch_size": 16,
        "learning_rate": 0.01,
        "seed": 5,
        "split": "group",
        "test_fraction": 0.25,
        "validation_fraction": 0.0,
        "augment": ("shift", "zoom"),
        "flip": False,
        "budget": None,
        "out": Path("runs/mine"),
        "resume": None,
        "checkpoint_seconds": 5.0,
        "command": shlex.join(["clearcnn", *words]),
        "language": "en",
    }


def test_a_spec_out_of_range_is_an_error(fake_train: Any, capsys: Capture) -> None:
    assert main(["train", "--size", "9999"]) == 1
    assert "size=(9999, 9999) is out of range" in capsys.readouterr().err


def test_the_plain_output_is_complete(fake_train: Any, capsys: Capture) -> None:
    assert main(["train"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    lines = captured.out.splitlines()
    assert lines[0] == f"clearcnn {__version__} · reading digits …"
    for expected in (
        "  shape          (1797, 8, 8) · images, height, width",
        "  split          1,005 train · 252 validation · 540 test",
        "  Conv2D 10 · 3×3 · relu  6×6×10         100        3×3      3,240      23,400",
        "  epoch  1 of 20 · loss 1.0000 · accuracy 50.0 % · validation 50.0 %",
        "  epoch 20 of 20 · loss 0.0500 · accuracy 97.5 % · validation 97.5 %",
        "  test accuracy  97.2 % · 525 of 540 test images correct",
        "                 95 % interval 95.5–98.3 (Wilson)",
        "  run folder     runs/digits-20260101T120000Z",
        "  report         runs/digits-20260101T120000Z/report.html",
    ):
        assert expected in lines
    assert all(character == "\n" or character.isprintable() for character in captured.out)
    assert not any(line.endswith(" ") for line in lines)
    epochs = [line for line in lines if line.startswith("  epoch ")]
    assert len(epochs) == 11


def test_quiet_prints_only_the_result_and_warnings(fake_train: Any, capsys: Capture) -> None:
    fake_train.warnings = ("The test part is small.",)
    assert main(["train", "--quiet"]) == 0
    captured = capsys.readouterr()
    assert captured.out == (
        "525 of 540 test images correct: 97.2 %, 95 % interval 95.5–98.3\n"
        "runs/digits-20260101T120000Z\n"
    )
    assert captured.err.strip() == "warning: The test part is small."


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_json_is_one_document_and_people_read_stderr(
    fake_train: Any, quiet: list[str], capsys: Capture
) -> None:
    assert main(["train", "--json", *quiet]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == to_json(fake_train.result)
    assert ("97.2 %" in captured.err) is not bool(quiet)


def test_a_warning_is_shown_where_it_arises(fake_train: Any, capsys: Capture) -> None:
    fake_train.warnings = ("The test part is small.",)
    assert main(["train"]) == 0
    text = capsys.readouterr().out
    assert text.index("Model  ") < text.index("warning: The test part is small.")
    assert text.index("warning: ") < text.index("\nTraining")


def test_an_interrupted_training_says_what_is_saved(
    fake_train: Any, train_result: Callable[..., TrainResult], capsys: Capture
) -> None:
    fake_train.result = train_result(Path("runs/short"), interrupted=True)
    assert main(["train"]) == 130
    captured = capsys.readouterr()
    assert "  epochs         7 of 20\n" in captured.out
    assert captured.err == (
        "Stopped after epoch 7 of 20. The model of that epoch is saved in runs/short\n"
    )


def show_live(train_result: Callable[..., TrainResult], *, interrupted: bool) -> str:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=80)
    result = train_result(Path("runs/live"), interrupted=interrupted)
    with TrainDisplay(console) as display:
        display.on_train_begin(result.train.epochs)
        for epoch in range(result.history.num_epochs):
            metrics = {name: values[epoch] for name, values in result.history.metrics.items()}
            display.on_epoch_end(epoch, metrics)
        display.on_train_end(result.history, interrupted)
    return screen.getvalue()


def test_a_terminal_gets_a_live_bar(
    train_result: Callable[..., TrainResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = show_live(train_result, interrupted=False)
    assert "compiling …" in text
    assert "epoch 20 of 20" in text
    assert "loss 0.0500 · accuracy 97.5 % · validation 97.5 %" in text
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1, "the cursor comes back"


def test_a_dumb_terminal_gets_lines(
    train_result: Callable[..., TrainResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert "  epoch 20 of 20 · loss" in show_live(train_result, interrupted=False)


def test_the_cursor_comes_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    screen = io.StringIO()
    with (
        pytest.raises(RuntimeError),
        TrainDisplay(Console(file=screen, force_terminal=True, width=80)) as display,
    ):
        display.on_train_begin(3)
        raise RuntimeError
    assert "\x1b[?25h" in screen.getvalue()


def test_an_early_stop_leaves_the_bar_where_it_was(
    train_result: Callable[..., TrainResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    text = show_live(train_result, interrupted=True)
    assert "epoch 7 of 20" in text
    assert "stopped after epoch 7; saving …" in text


def test_a_run_is_resumed(fake_train: Any, capsys: Capture) -> None:
    words = ["train", "--resume", "runs/a", "--epochs", "30", "--out", "runs/b", "--quiet"]
    assert main(words) == 0
    asked = fake_train.asked
    assert (asked["source"], asked["resume"], asked["epochs"]) == ("digits", Path("runs/a"), 30)
    assert asked["out"] == Path("runs/b")


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--seed", "777"], "--seed cannot be combined with --resume"),
        (["--recipe", "default"], "--recipe cannot be combined with --resume"),
        (["--batch-size", "8"], "--batch-size cannot be combined with --resume"),
        (["--skip-unreadable"], "--skip-unreadable cannot be combined with --resume"),
    ],
)
def test_options_that_the_run_fixes_are_wrong_usage(
    words: list[str], what: str, fake_train: Any, capsys: Capture
) -> None:
    assert main(["train", "--resume", "runs/a", *words]) == 2
    assert what in capsys.readouterr().err
    assert fake_train.asked == {}


def test_stopped_at_once_it_says_how_to_resume(
    fake_train: Any, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Keeps(type(fake_train)):  # type: ignore[misc]
        def __call__(self, source: Any, *, listener: Any, **asked: Any) -> TrainResult:
            listener.on_checkpoint(Path("runs/my a.unfinished"))
            raise KeyboardInterrupt

    monkeypatch.setattr("clearcnn.workflows.train.train.train", Keeps(fake_train.result))
    assert main(["train"]) == 130
    captured = capsys.readouterr()
    said = "Resume with: clearcnn train --resume 'runs/my a'\n"
    assert f"keeping checkpoints in case this stops. {said}" in captured.out
    assert f"Stopped. {said}" in captured.err


def test_a_divergence_is_an_error_that_keeps_the_run(
    fake_train: Any, train_result: Callable[..., TrainResult], capsys: Capture
) -> None:
    divergence = Divergence(7, "Training stopped in epoch 8: the loss became nan.", ("It rose.",))
    fake_train.result = train_result(Path("runs/wild"), divergence=divergence)
    assert main(["train"]) == 1
    error = capsys.readouterr().err
    assert "error: Training stopped in epoch 8: the loss became nan. Likely causes:" in error
    assert "  It rose.\n" in error
    assert "saved in runs/wild" in error
