"""The command as people run it, on a run of one epoch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

CLEARCNN = [sys.executable, "-m", "clearcnn"]


def clearcnn(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLEARCNN, *words], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("work")
    words = ("train", "--recipe", "tutorial", "--epochs", "1", "--out", "runs/d", "--quiet")
    assert clearcnn(*words, folder=place).returncode == 0
    return place


def test_it_prints_the_prediction_and_the_path_of_the_page(folder: Path) -> None:
    done = clearcnn("explain", "runs/d", "17", folder=folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("clearcnn ")
    assert "Explanation  row 17" in done.stdout
    assert "runs/d-explained-17/explanation.html" in done.stdout
    page = (folder / "runs/d-explained-17/explanation.html").read_text(encoding="utf-8")
    assert "clearcnn explain runs/d 17" in page


def test_json_on_stdout_equals_the_file_in_the_folder(folder: Path) -> None:
    done = clearcnn("explain", "runs/d", "3", "--json", "--out", "x", folder=folder)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    kept = json.loads((folder / "x/explanation.json").read_text(encoding="utf-8"))
    assert kept.pop("schema_version") == 1
    assert said == kept
    assert said["image"]["row"] == 3
    assert "Explanation  row 3" in done.stderr


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("runs/d", "2000"), 1, "error: There is no image 2000"),
        (("runs/d", "no.png"), 1, "error: no.png cannot be opened"),
        (("runs/none", "3"), 1, "error: runs/none is not a run folder"),
        (("runs/d", "3", "--seed", "-1"), 1, "error: seed=-1 is out of range"),
        (("runs/d",), 2, "required: IMAGE"),
        (("runs/d", "3", "--inverted"), 2, "Did you mean --invert?"),
    ],
)
def test_an_error_is_one_message(
    folder: Path, words: tuple[str, ...], status: int, message: str
) -> None:
    done = clearcnn("explain", *words, folder=folder)
    assert done.returncode == status
    assert message in done.stderr
    assert "Traceback" not in done.stderr
