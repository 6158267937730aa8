import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from benchmarks.environments import PINS, EnvironmentMissingError, Environments

from benchmarks import environments

ROOT = Path(__file__).parents[2]
METADATA = "Metadata-Version: 2.1\nName: pebble\nVersion: {version}\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def write_wheel(folder: Path, version: str) -> None:
    """A wheel of one module, `pebble`, which knows its version."""
    name, info = f"pebble-{version}-py3-none-any.whl", f"pebble-{version}.dist-info"
    with zipfile.ZipFile(folder / name, "w") as wheel:
        wheel.writestr("pebble.py", f"VERSION = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", METADATA.format(version=version))
        wheel.writestr(f"{info}/WHEEL", WHEEL)
        wheel.writestr(f"{info}/RECORD", "")


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels, the only place where pip looks."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return wheels


def ask_version(python: Path) -> str:
    program = "import pebble; print(pebble.VERSION)"
    return subprocess.run(
        [python, "-c", program], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.release
def test_an_environment_is_made_once_and_again_when_its_pins_change(
    tmp_path: Path, offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for version in ("1.0", "2.0"):
        write_wheel(offline, version)
    monkeypatch.setitem(environments.PINS, "torch", {"cpu": ("pebble==1.0",)})
    peers = Environments(folder=tmp_path / "venvs")
    python = peers.python("torch")
    assert ask_version(python) == "1.0"
    mark = python.parent / "mark"
    mark.touch()
    assert peers.python("torch") == python
    assert mark.exists(), "it was made anew though nothing had changed"
    monkeypatch.setitem(environments.PINS, "torch", {"cpu": ("pebble==2.0",)})
    assert ask_version(peers.python("torch")) == "2.0"
    assert not mark.exists()


@pytest.mark.release
def test_what_cannot_be_installed_is_named_and_leaves_nothing(
    tmp_path: Path, offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not list(offline.iterdir())
    monkeypatch.setitem(environments.PINS, "torch", {"cpu": ("pebble==3.0",)})
    with pytest.raises(EnvironmentMissingError, match=r"pebble==3\.0"):
        Environments(folder=tmp_path / "venvs").python("torch")
    assert not (tmp_path / "venvs" / "torch-cpu").exists()


def test_here_takes_only_what_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(environments._ENGINES, "torch", "a_module_nobody_has")
    with pytest.raises(EnvironmentMissingError, match="a_module_nobody_has is not installed here"):
        Environments(here=True).python("torch")


def test_the_pins_are_those_of_the_project() -> None:
    """Otherwise Keras/JAX would be compared with another Keras or JAX."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    ours = dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))
    pins = [pin for devices in PINS.values() for found in devices.values() for pin in found]
    found = [match.groups() for pin in pins if (match := re.match(r"([\w-]+).*?==([\d.]+)", pin))]
    shared = [(name, version) for name, version in found if name in ours]
    assert {name for name, _ in shared} == {"numpy", "scikit-learn", "keras", "jax"}
    assert all(ours[name] == version for name, version in shared)
