"""A folder of pictures that only their shape tells apart, and a way to run a script by itself."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

SIDE = 16
IMAGES_PER_CLASS = 20

# As in pyproject.toml: every warning is an error, but one of Keras's own.
WARNINGS = ("error", "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Class folders of PNGs: a bar lying, a bar standing and a ring, anywhere in the picture."""
    rng = np.random.default_rng(7)
    folder = tmp_path / "photos"
    for name in ("lying", "standing", "ring"):
        (folder / name).mkdir(parents=True)
        for number in range(IMAGES_PER_CLASS):
            picture = Image.new("L", (SIDE, SIDE), int(rng.integers(0, 60)))
            draw = ImageDraw.Draw(picture)
            x, y = (int(place) for place in rng.integers(0, 6, size=2))
            ink = int(rng.integers(160, 256))
            if name == "lying":
                draw.line((x, y + 5, x + 9, y + 5), ink, width=2)
            elif name == "standing":
                draw.line((x + 5, y, x + 5, y + 9), ink, width=2)
            else:
                draw.ellipse((x, y, x + 9, y + 9), outline=ink, width=2)
            picture.save(folder / name / f"{number}.png")
    return folder


@pytest.fixture
def run_python(tmp_path: Path) -> Callable[..., str]:
    """Runs a script in `tmp_path`, in a process of its own; gives what it printed."""

    def run(*arguments: str | Path) -> str:
        done = subprocess.run(
            [sys.executable, *(f"-W{rule}" for rule in WARNINGS), *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONIOENCODING": "utf-8", "COLUMNS": "100"},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
