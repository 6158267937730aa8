"""Every package is pinned and hashed, and nothing says where it comes from."""

import re
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

NAMES = ("constraints", "constraints-extras", "constraints-dev", "constraints-tools")
WITH_IT = NAMES[:3]


def read(root: Path, name: str) -> str:
    return (root / f"{name}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_release_has_hashes_and_no_address(root: Path, name: str) -> None:
    text = re.sub(r"^#.*\n", "", read(root, name), flags=re.MULTILINE)
    entries = re.split(r"\n(?=\S)", text.strip())
    assert len(entries) > 10
    for entry in entries:
        requirement = Requirement(re.split(r" \\\n", entry)[0])
        assert [each.operator for each in requirement.specifier] == ["=="]
        assert requirement.url is None
        hashes = re.findall(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$", entry, re.MULTILINE)
        assert len(hashes) == len(entry.splitlines()) - 1 >= 1
    assert "://" not in text
    assert "index" not in re.sub(r"^[\w.-]+==.*", "", text, flags=re.MULTILINE)


def test_no_package_is_pinned_twice(root: Path, load: Any) -> None:
    pins = [load("constraints").read_pins(read(root, name)) for name in NAMES]
    together = [name for found in pins[:3] for name in found]
    assert len(together) == len(set(together))
    both = {name: found for pinned in pins[:3] for name, found in pinned.items()}
    for name, found in pins[3].items():
        assert both.get(name, found) == found


def test_they_fit_what_pyproject_asks_for(root: Path, load: Any) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    pins = {
        canonicalize_name(name): release
        for part in NAMES
        for name, release in load("constraints").read_pins(read(root, part)).items()
    }
    asked = [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(text for name in ("parquet", "serve", "dev") for text in _extra(project, name)),
        *(text for group in project["dependency-groups"].values() for text in group),
    ]
    for requirement in map(Requirement, asked):
        if requirement.name != "clearcnn":
            assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def _extra(project: dict[str, Any], name: str) -> list[str]:
    return list(project["project"]["optional-dependencies"][name])


def test_all_that_is_needed_here_is_pinned(root: Path, load: Any) -> None:
    pins = {
        canonicalize_name(name)
        for part in WITH_IT
        for name in load("constraints").read_pins(read(root, part))
    }
    needed = load("licences").find_packages("clearcnn", ("dev",))
    assert {"numpy", "jax", "fastapi", "pytest"} <= needed
    assert needed - pins == set(), f"on Python {sys.version_info[:2]}"
    assert version("numpy")
