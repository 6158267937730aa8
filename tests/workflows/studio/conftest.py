"""An empty class folder, and small pictures."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.workflows.studio.pictures import make_png

from clearcnn.workflows.studio.class_folder import ClassFolder


@pytest.fixture(scope="session")
def png() -> Callable[..., bytes]:
    return make_png


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[ClassFolder]:
    opened = ClassFolder(tmp_path / "내 사진")
    yield opened
    opened.close()
