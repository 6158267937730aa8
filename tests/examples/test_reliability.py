"""The counts and file names on the reliability page are those of the tree."""

import ast
import importlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def constant(path: str, name: str) -> list[ast.expr]:
    """The elements of a constant, without importing its module."""
    for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(getattr(target, "id", None) == name for target in targets):
            return node.value.elts
    raise AssertionError(f"{path} has no {name}")


def test_every_file_that_is_named_exists() -> None:
    names = set(re.findall(r"`([\w/-]+\.py)`", PAGE))
    tests = {path.name for path in (ROOT / "tests").rglob("*.py")}
    assert names
    for name in names:
        exists = (ROOT / name).is_file() or (ROOT / "src" / "clearcnn" / name).is_file()
        assert exists or ("/" not in name and name in tests), name


def test_the_numbers_of_readers_writers_and_attacks_are_current(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writers = constant("tests/writes/test_write_points.py", "WRITERS")
    assert f"in {len(writers)} modules" in PAGE
    attacks = constant("tests/web/test_attacks.py", "ATTACKS")
    assert f"{len(attacks)} attacks, three attackers each" in PAGE

    monkeypatch.syspath_prepend(ROOT)
    readers = importlib.import_module("fuzz.target").find_names()
    assert f"for each of {len(readers)} readers" in PAGE
    assert f"of the same {len(readers)} readers" in PAGE
    kinds = importlib.import_module("fuzz.worst.__main__").find_kinds()
    cases = [importlib.import_module(f"fuzz.worst.{kind}").CASES for kind in kinds]
    assert f": {sum(map(len, cases))} bombs, " in PAGE
