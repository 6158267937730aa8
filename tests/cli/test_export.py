"""`clearcnn export`, from the command line to its exit status."""

import json
from pathlib import Path
from typing import Any

import pytest

from clearcnn.cli.main import main
from clearcnn.errors import ExportError
from clearcnn.results.export import ExportResult


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A fake of the workflow that records its arguments; a run folder that nobody reads."""
    (tmp_path / "runs" / "a").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    calls: list[Any] = []

    def export_run(*words: Any) -> ExportResult:
        calls.append(words)
        if words[1] == "litert":
            raise ExportError("No LiteRT.", remedy="Go on so.")
        return ExportResult("onnx", Path("m.onnx"), ("m\n.onnx",), 2.3e-7, 32)

    monkeypatch.setattr("clearcnn.workflows.export.export_run", export_run)
    return calls


def test_written_files_are_printed_with_the_check(asked: list[Any], capsys: Any) -> None:
    assert main(["export", "runs/a", "--to", "onnx", "--out", "m.onnx"]) == 0
    assert asked == [(Path("runs/a"), "onnx", Path("m.onnx"))]
    out = capsys.readouterr().out
    assert out.splitlines() == [
        "m\\n.onnx",
        "Equals Keras to 2e-07 on 32 images (random, all minimum, all maximum).",
    ]


def test_json_has_the_fields_of_the_record(asked: list[Any], capsys: Any) -> None:
    assert main(["export", "runs/a", "--to", "onnx", "--json"]) == 0
    assert asked[0][2] is None
    record = json.loads(capsys.readouterr().out)
    assert record == {
        "to": "onnx",
        "path": "m.onnx",
        "files": ["m\n.onnx"],
        "largest_difference": 2.3e-7,
        "num_images": 32,
    }


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "RUN is missing"),
        (["runs/a"], "--to is needed: one of onnx, keras"),
        (["runs/a", "--to", "onx"], "Did you mean onnx?"),
    ],
)
def test_wrong_usage_is_status_2(words: list[str], told: str, asked: Any, capsys: Any) -> None:
    assert main(["export", *words]) == 2
    assert told in capsys.readouterr().err
    assert not asked


def test_an_error_is_one_message(asked: Any, capsys: Any) -> None:
    assert main(["export", "runs/a", "--to", "litert"]) == 1
    assert capsys.readouterr().err == "error: No LiteRT.\nGo on so.\n"
