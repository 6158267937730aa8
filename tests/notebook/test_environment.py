"""Where progress is shown: in notebooks and interactive Pythons, not in scripts."""

import sys
from types import SimpleNamespace
from typing import Any

import pytest

import clearcnn
from clearcnn.errors import SpecError
from clearcnn.notebook.environment import find_environment, shows_progress


def pretend(monkeypatch: pytest.MonkeyPatch, shell: Any) -> None:
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


def test_a_kernel_is_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, SimpleNamespace(kernel=object()))
    assert find_environment() == "notebook"
    assert shows_progress("auto")
    assert not shows_progress(0)


def test_ipython_and_python_at_a_terminal_are_interactive(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, SimpleNamespace())
    assert find_environment() == "terminal"
    pretend(monkeypatch, None)
    assert find_environment() == "script"
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    assert find_environment() == "terminal"


def test_a_script_is_silent_unless_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, None)
    assert not shows_progress("auto")
    assert shows_progress(1)
    assert shows_progress(2)


def test_another_verbose_is_rejected_before_anything_is_read() -> None:
    with pytest.raises(SpecError, match=r"verbose is 'loud'; expected"):
        clearcnn.train("there is no such folder", verbose="loud")
    with pytest.raises(SpecError, match="verbose is 7"):
        clearcnn.evaluate("there is no such folder", verbose=7)


def test_a_script_that_asks_sees_what_the_terminal_shows(
    images: Any, small: Any, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    clearcnn.train(images, model=small, epochs=2, out=tmp_path / "run", verbose=1)
    said = capsys.readouterr().out
    assert "epoch 2 of 2" in said
    clearcnn.train(images, model=small, epochs=2, out=tmp_path / "silent", verbose=0)
    assert capsys.readouterr() == ("", "")
