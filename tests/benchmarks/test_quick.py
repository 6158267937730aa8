"""Asked for real, in small, in this environment: against Keras/JAX; no time counts."""

import json
import math
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.record import read_records
from sklearn.datasets import load_digits
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.neighbors import KNeighborsClassifier

from clearcnn.data.forms.digits import BLOCK_STARTS

ROOT = Path(__file__).parents[2]


@pytest.mark.release
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


@pytest.mark.release
def test_the_nearest_neighbour_scores_as_published() -> None:
    """1,733 of 1,797 with each block left out: scikit-learn's own splitter says the same."""
    result = score("nearest-neighbour", "blocks")
    x, y = load_digits(return_X_y=True)
    blocks = np.searchsorted(BLOCK_STARTS, np.arange(len(x)), side="right")
    neighbour = KNeighborsClassifier(n_neighbors=1)
    predicted = cross_val_predict(neighbour, x, y, groups=blocks, cv=LeaveOneGroupOut())
    right = [int(np.sum((predicted == y)[blocks == block])) for block in range(1, 15)]
    assert result["right"] == right
    assert sum(right) == 1733
    assert sum(result["total"]) == 1797


@pytest.mark.release
def test_a_recipe_is_scored_on_a_block_it_never_saw() -> None:
    result = score("default", "blocks", "--most", "1", "--epochs", "2")
    assert result["total"] == [130]
    # Two epochs of a one-cycle schedule are little; chance would be 13.
    assert 40 < result["right"][0] <= 130


def score(model: str, protocol: str, *options: str) -> Any:
    """Run the contender that scores models on the digits."""
    script = ROOT / "benchmarks" / "contenders" / "digits_accuracy.py"
    words = ["--model", model, "--protocol", protocol, *options]
    done = subprocess.run(
        [sys.executable, script, *words], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
