"""The ten lines for a folder of one's own, as a user runs them."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_pictures.py"


@pytest.mark.release
def test_ten_lines_train_on_a_folder_of_pictures(
    run_python: Callable[..., str], photos: Path, tmp_path: Path
) -> None:
    said = run_python(EXAMPLE, "photos")

    found = re.match(r"test images: (\d+) of 18 correct: (\d+\.\d) %, 95 % interval ", said)
    assert found, said
    # Three shapes that a CNN tells apart easily; chance is a third.
    assert int(found[1]) >= 15
    assert float(found[2]) == round(100 * int(found[1]) / 18, 1)

    (run,) = (tmp_path / "runs").iterdir()
    report = said.splitlines()[-1].removeprefix("Open ")
    assert (tmp_path / report).samefile(run / "report.html")
    kept = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    assert [each["name"] for each in kept["data"]["classes"]] == ["lying", "ring", "standing"]
    assert kept["data"]["shape"] == [60, 16, 16]
    assert kept["test"]["score"]["correct"] == int(found[1])
    named = re.findall(r"^(\w+)/\d+\.png: \1 taken for (?!\1)\w+$", said, re.MULTILINE)
    assert len(named) == min(3, 18 - int(found[1]))


def test_the_example_is_ten_lines_long() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    assert sum(bool(line.strip()) for line in lines) <= 10
