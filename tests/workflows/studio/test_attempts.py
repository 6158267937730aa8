"""Attempts are compared on the pictures that neither was trained on."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binomtest

import clearcnn
from clearcnn.workflows.studio.attempts import Attempt, Attempts, compare, describe_attempts


def attempt(name, right):
    return Attempt(SimpleNamespace(folder=Path(name)), None, right)


@pytest.mark.parametrize(("ours", "theirs"), [(40, 20), (20, 40), (30, 28), (60, 60)])
def test_only_common_test_pictures_count(ours, theirs):
    random = np.random.default_rng(ours)
    both = {f"a/{k}.png": (bool(k < ours), bool(k >= 60 - theirs)) for k in range(60)}
    first = {name: answer[0] for name, answer in both.items()}
    second = {name: answer[1] for name, answer in both.items()}
    first |= {f"own/{k}": bool(random.integers(2)) for k in range(100)}
    second |= {f"other/{k}": bool(random.integers(2)) for k in range(100)}
    found = compare(attempt("new", first), attempt("old", second))
    only_ours = sum(a and not b for a, b in both.values())
    only_theirs = sum(b and not a for a, b in both.values())
    p = binomtest(only_ours, only_ours + only_theirs).pvalue if only_ours + only_theirs else 1.0
    assert (found["run"], found["total"], found["lead"]) == ("old", 60, ours - theirs)
    assert found["p_value"] == pytest.approx(p)
    expected = "alike" if p >= 0.05 else "better" if ours > theirs else "worse"
    assert found["verdict"] == expected


def test_without_common_pictures_nothing_is_said():
    found = compare(attempt("new", {"a/1.png": True}), attempt("old", {"a/2.png": False}))
    assert (found["total"], found["verdict"]) == (0, "none")


def test_trainings_of_the_command_line_are_attempts(folder, png, tmp_path, monkeypatch):
    for channel, name in enumerate("ab"):
        folder.add_class(name)
        for k in range(6):
            folder.add(name, png(k, channel), f"{k}.png")
    attempts = Attempts(folder.root, tmp_path / "runs")
    assert attempts.list_all() == []
    monkeypatch.chdir(tmp_path)
    clearcnn.train(folder.root.name, recipe="tutorial", epochs=1)
    clearcnn.train(folder.root, recipe="tutorial", epochs=2, out=tmp_path / "runs" / "second")
    clearcnn.train("digits", recipe="tutorial", epochs=1, out=tmp_path / "runs" / "other")
    (tmp_path / "runs" / "broken").mkdir()
    (tmp_path / "runs" / "broken" / "bundle.json").write_text("{")
    found = describe_attempts(attempts.list_all())
    assert [each["epochs"] for each in found] == [1, 2]
    assert found[0]["against"] is None
    assert found[1]["against"]["run"] == found[0]["run"]
    assert found[1]["against"]["total"] == found[1]["score"]["total"]
