"""The scripts of releases, which are no part of what is installed."""

import importlib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(ROOT)
    return lambda name: importlib.import_module(f"supply.{name}")


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT
