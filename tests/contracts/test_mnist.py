"""The command on MNIST itself, as a person would type it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"


@pytest.mark.mnist
@pytest.mark.release
@pytest.mark.skipif(not MNIST.is_dir(), reason="shared/data/mnist is not beside the repository")
def test_one_epoch_of_mnist_by_the_default_recipe(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "clearcnn", "train", str(MNIST), "--epochs", "1", "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["data"]["shape"] == [70_000, 28, 28]
    assert [result["data"][part] for part in ("train", "validation", "test")] == [
        48_000,
        12_000,
        10_000,
    ]
    assert result["recipe"] == "default"
    assert result["test"]["score"]["total"] == 10_000
    assert result["test"]["score"]["accuracy"] > 0.97
    assert (Path(result["run_folder"]) / "bundle.json").is_file()
