"""One question asked for real, in small, against Keras/JAX in this environment; no time counts."""

import math
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from benchmarks.record import read_records

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_question_is_asked_and_both_do_the_same_work(tmp_path: Path) -> None:
    page = ROOT / "docs" / "benchmarks.md"
    before = page.read_bytes() if page.exists() else None
    options = ["--quick", "--here", "--rounds", "1", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *options, "digits_fit"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (record,) = read_records(tmp_path)
    assert record.contenders()[0] == "clearcnn.fit"
    assert "Keras/JAX" in record.contenders()
    for name in record.contenders():
        (result,) = record.results(name)
        # 5,160 parameters: (3·3 + 1)·10 + (90 + 1)·50 + (50 + 1)·10, the lesson's own count.
        assert (result["samples"], result["epochs"], result["parameters"]) == (1005, 3, 5160)
        assert result["accuracy"] > 0.5
        assert result["loss"] < math.log(10)
        assert len(result["val_accuracy"]) == 3
    for name, library in (("Keras/TensorFlow", "tensorflow"), ("Keras/PyTorch", "torch")):
        if not find_spec(library):
            assert f"{name} was left out" in done.stdout
    assert "| clearcnn.fit |" in done.stdout
    assert "| clearcnn.fit |" in (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert (page.read_bytes() if page.exists() else None) == before


def test_a_question_that_does_not_exist_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "digits_fits"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 2
    assert "no question digits_fits" in done.stderr
