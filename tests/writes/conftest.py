"""What the verbs read, made once; each test has a folder of its own to write into."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def load(name: str) -> ModuleType:
    """Import a file from beside this one, which other programs import, too."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def strikes() -> ModuleType:
    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc to know what is flushed")
    return load("strikes")


@pytest.fixture(scope="session")
def verbs() -> ModuleType:
    return load("verbs")


@pytest.fixture(scope="session")
def home(verbs: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A source, a model, a run and pictures."""
    place = tmp_path_factory.mktemp("home")
    verbs.prepare(place)
    return place


@pytest.fixture(scope="module")
def remembering(verbs: ModuleType) -> Iterator[None]:
    """Nothing is computed twice."""
    with ExitStack() as stack:
        verbs.remember(stack.enter_context)
        yield


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder with something in it that has to stay."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_bytes(b"mine")
    return tmp_path


@pytest.fixture
def run_verb(verbs: ModuleType, home: Path, capsys: Any) -> Any:
    """Runs a verb in this process; gives its status and what it said on stderr."""
    from clearcnn.cli.main import main

    def run(name: str, out: Path, *more: str) -> tuple[int, str]:
        capsys.readouterr()
        status = main([*verbs.command(verbs.VERBS[name], home, out), *more])
        return status, capsys.readouterr().err

    return run
