"""The lesson, as a learner runs it."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

LESSON = Path(__file__).parents[2] / "examples" / "digits_tutorial.py"

pytestmark = pytest.mark.release


def test_the_lesson_says_and_draws_what_it_should(
    run_python: Callable[..., str], tmp_path: Path
) -> None:
    said = run_python(LESSON, "--figures", "drawn/here")

    rows = re.findall(r"^(?: +\d+){8}$", said, re.MULTILINE)
    assert np.array_equal(
        [row.split() for row in rows], load_digits().images[0].astype(int).astype(str)
    )
    assert "images (1797, 8, 8), labels (1797,)" in said
    assert "x (1797, 8, 8, 1)" in said
    assert "y (1797, 10)" in said
    assert "train (1257, 8, 8, 1), test (540, 8, 8, 1)" in said
    assert "learning from 1005 images, validating on 252" in said

    # The table that Keras draws of the model: shape without the batch, and parameters.
    layers = re.findall(r"\((\w+)\) +│ +\(None, ([\d, ]+)\) +│ +([\d,]+) +│", said)
    assert layers == [
        ("Conv2D", "6, 6, 10", "100"),
        ("Activation", "6, 6, 10", "0"),
        ("MaxPooling2D", "3, 3, 10", "0"),
        ("Flatten", "90", "0"),
        ("Dense", "50", "4,550"),
        ("Dense", "10", "510"),
    ]

    epochs = [
        line.split() for line in said.splitlines() if re.match(r" +\d+( +\d\.\d{4}){4}$", line)
    ]
    assert [row[0] for row in epochs] == ["1", *map(str, range(10, 101, 10))]
    losses = [float(row[1]) for row in epochs]
    assert losses[-1] < 0.1 < 1 < losses[0]

    # Over 12 training seeds the lesson's network scores 98.0 ± 0.4 % on this split.
    accuracy, right = re.search(r"^test accuracy (0\.\d{4}): (\d+) of 540", said, re.M).groups()
    assert 0.94 < float(accuracy) < 1.0
    assert float(accuracy) == round(int(right) / 540, 4)
    assert len(re.findall(r"^  (\d) was taken for (?!\1)\d$", said, re.M)) == min(
        5, 540 - int(right)
    )

    drawn = {
        path.name: np.asarray(Image.open(path).convert("L"))
        for path in (tmp_path / "drawn/here").iterdir()
    }
    assert sorted(drawn) == ["accuracy.png", "first_image.png", "loss.png"]
    assert all(picture.min() < 60 and picture.max() > 200 for picture in drawn.values())

    # Drawn or not, another run says the same, to the last figure.
    before = sorted(tmp_path.iterdir())
    assert said.startswith(run_python(LESSON))
    assert sorted(tmp_path.iterdir()) == before
