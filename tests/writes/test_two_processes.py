"""Two processes at one place: each does its work or says why not, and neither harms the other."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest

from clearcnn.bundle import read_bundle

pytestmark = pytest.mark.process

CLEARCNN = [sys.executable, "-m", "clearcnn"]


def start(words: list[str], **options: Any) -> subprocess.Popen[str]:
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*CLEARCNN, *words], **pipes, **options)


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=300)
    assert "Traceback" not in said
    return process.returncode, said


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_two_trainings_with_one_place_are_both_kept(out: Path, verbs: Any, home: Path) -> None:
    words = verbs.command(verbs.VERBS["train"], home, out)
    trained = [end(process) for process in [start(words), start(words)]]
    assert [status for status, _ in trained] == [0, 0], trained
    assert names(out / "new") == {"run", "run-2"}
    for name in ("run", "run-2"):
        read_bundle(out / "new" / name)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_a_training_that_is_told_to_end_says_how_to_resume(
    out: Path, verbs: Any, home: Path
) -> None:
    words = verbs.command(verbs.VERBS["train"], home, out)
    words[words.index("--epochs") + 1] = "100000"
    process = start([*words, "--checkpoint-seconds", "0"])
    request = out / "new" / "run.unfinished" / "request.json"
    while not request.exists():
        assert process.poll() is None
    process.terminate()
    status, said = end(process)
    assert status == 143
    lines = [line for line in said.splitlines() if line]
    assert lines == [
        f"Resume with: clearcnn train --resume {out / 'new' / 'run'}",
        "Stopped by SIGTERM.",
    ]
    assert names(out / "new") == {"run.unfinished"}


@pytest.mark.release
def test_two_exports_to_one_place_are_one(out: Path, verbs: Any, home: Path) -> None:
    words = verbs.command(verbs.VERBS["export onnx"], home, out)
    ended = sorted(end(process) for process in [start(words), start(words)])
    assert [status for status, _ in ended] == [0, 1], ended
    assert "exists, and an export never overwrites anything" in ended[1][1]
    assert names(out / "new") == {"m.onnx"}
    onnx.checker.check_model(out / "new" / "m.onnx")


def test_an_export_never_replaces_what_came_first(
    out: Path, verbs: Any, home: Path, run_verb: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from clearcnn import atomic_write

    flush = atomic_write.flush

    def be_late(path: Path) -> None:
        flush(path)
        (out / "new" / "m.onnx").write_bytes(b"theirs")

    monkeypatch.setattr(atomic_write, "flush", be_late)
    status, said = run_verb("export onnx", out)
    assert status == 1
    assert "exists" in said
    assert (out / "new" / "m.onnx").read_bytes() == b"theirs"
    assert names(out / "new") == {"m.onnx"}


def test_two_predictions_never_share_a_table(out: Path, home: Path) -> None:
    table, pictures = out / "a.csv", home / "pictures"
    words = ["predict", str(home / "run")]
    # The first one waits for a picture from stdin, and has the table.
    first = start([*words, "-", "--csv", str(table)], stdin=subprocess.PIPE)
    second = (1, "nobody had it")
    while "nobody had it" in second[1]:
        if table.exists() and table.stat().st_size:
            second = end(start([*words, str(pictures), "--csv", str(table), "--resume"]))
    assert second[0] == 1
    assert f"Another process is writing {table}" in second[1]
    assert first.stdin is not None
    first.stdin.buffer.write((pictures / "0.png").read_bytes())
    status, said = end(first)
    assert status == 0, said
    assert end(start([*words, str(pictures), "--csv", str(table), "--resume"]))[0] == 0
    rows = table.read_text("utf-8").splitlines()
    assert len(rows) == len(set(rows)) == 1 + 1 + 5


@pytest.mark.release
def test_to_evaluate_while_another_trains(out: Path, verbs: Any, home: Path) -> None:
    words = verbs.command(verbs.VERBS["train"], home, out)
    both = [start(words), start(verbs.command(verbs.VERBS["evaluate"], home, out))]
    ended = [end(process) for process in both]
    assert [status for status, _ in ended] == [0, 0], ended
    assert names(out / "new") == {"run", "evaluation"}
    read_bundle(out / "new" / "run")
    json.loads((out / "new" / "evaluation" / "evaluation.json").read_text("utf-8"))
