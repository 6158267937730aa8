"""An empty class folder, and small pictures."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from clearcnn.workflows.studio.class_folder import ClassFolder


def make_png(number: int, channel: int = 0, side: int = 12) -> bytes:
    random = np.random.default_rng(number)
    pixels = random.integers(0, 100, (side, side, 3)).astype(np.uint8)
    pixels[..., channel] += 120
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def png() -> Callable[..., bytes]:
    return make_png


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ClassFolder]:
    opened = ClassFolder(tmp_path / "내 사진")
    yield opened
    opened.close()
