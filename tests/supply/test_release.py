"""Two builds of one commit are the same to the bit, and name what they carry."""

import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("hatchling", reason="comes with make test")


def copy(root: Path, place: Path, mode: int) -> Path:
    """The checkout without what git leaves out, with other rights and times."""
    if not (root / ".git").exists() or shutil.which("git") is None:
        pytest.skip("needs a checkout, and git")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (root / name).is_file():
            target = place / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, target)
            target.chmod(mode)
    return place


@pytest.mark.parametrize("kernels", ["off", pytest.param("", marks=pytest.mark.release)])
def test_two_builds_are_the_same(
    root: Path, load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernels: str
) -> None:
    monkeypatch.setenv("CLEARCNN_KERNELS", kernels)
    release = load("release")
    built = []
    for name, mode in (("one", 0o644), ("another/place", 0o600)):
        place = copy(root, tmp_path / name, mode)
        monkeypatch.setattr(release, "ROOT", place)
        monkeypatch.setattr(release, "DIST", place / "dist")
        built.append(release.build("1700000000"))
    first, second = ({path.name: path.read_bytes() for path in files} for files in built)
    assert first.keys() == second.keys()
    assert len(first) == 2
    for name, content in first.items():
        assert hashlib.sha256(content).digest() == hashlib.sha256(second[name]).digest(), name
    wheel, source = sorted(built[0], key=lambda path: path.suffix != ".whl")
    with zipfile.ZipFile(wheel) as file:
        assert {entry.date_time[0] for entry in file.infolist()} == {2023}
        assert "clearcnn/web/static/index.html" in file.namelist()
        assert "clearcnn/training/cpu_kernels/native/multiply.cpp" in file.namelist()
    with tarfile.open(source) as file:
        assert {entry.mtime for entry in file.getmembers()} == {1700000000}
        names = {entry.name.partition("/")[2] for entry in file.getmembers()}
        assert {"hatch_build.py", "src/clearcnn/training/cpu_kernels/native/tiles.h"} <= names


def test_where_the_compiler_fails_a_wheel_is_built_without_kernels(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CXX", "no-such-compiler")
    monkeypatch.setenv("CLEARCNN_KERNELS", "")
    place = copy(root, tmp_path, 0o644)
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    done = subprocess.run(words, cwd=place, capture_output=True, text=True, check=True)
    assert "without compiled CPU kernels: no-such-compiler could not be run" in done.stderr
    (wheel,) = (place / "dist").iterdir()
    assert wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as file:
        assert not any(name.endswith(".so") for name in file.namelist())
    monkeypatch.setenv("CLEARCNN_KERNELS", "required")
    done = subprocess.run(words, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "BuildError" in done.stderr


def test_what_is_carried_along_is_in_the_bill(root: Path, load: Any) -> None:
    release = load("release")
    origin = release.ORIGIN.read_text(encoding="utf-8")
    component = release.describe_vendored(origin)
    assert component["purl"] == f"pkg:npm/onnxruntime-web@{component['version']}"
    assert re.fullmatch(r"\d+\.\d+\.\d+", component["version"])
    for part in component["components"]:
        assert f"{part['hashes'][0]['content']}  {part['name']}" in origin
    assert len(component["components"]) == 3
