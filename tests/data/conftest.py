"""What the tests of the data room share: shared data, and pictures written with Pillow."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

SHARED = Path(__file__).parents[3] / "shared" / "data"

WritePicture = Callable[..., np.ndarray]


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    folder = SHARED / "mnist"
    if not folder.is_dir():
        pytest.skip("shared/data/mnist is not beside the repository")
    return folder


@pytest.fixture(scope="session")
def pngsuite_folder() -> Path:
    folder = SHARED / "pngsuite"
    if not folder.is_dir():
        pytest.skip("shared/data/pngsuite is not beside the repository")
    return folder


@pytest.fixture(scope="session")
def write_picture() -> WritePicture:
    """Write a random picture, a different one for each seed; give its (h, w, c) pixels."""

    def write(
        path: Path, seed: int = 0, *, size: tuple[int, int] = (6, 5), channels: int = 1, **save
    ) -> np.ndarray:
        pixels = np.random.default_rng(seed).integers(0, 256, (*size, channels), np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[..., 0] if channels == 1 else pixels).save(path, **save)
        return pixels

    return write


@pytest.fixture
def class_folders(tmp_path: Path, write_picture: WritePicture) -> Path:
    """Classes 1, 2 and 10 with three 6×5 grey PNGs each."""
    for label in (10, 2, 1):
        for number in (1, 2, 10):
            write_picture(tmp_path / "shapes" / str(label) / f"{number}.png", 100 * label + number)
    return tmp_path / "shapes"
