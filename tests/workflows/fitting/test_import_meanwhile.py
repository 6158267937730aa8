import sys
from threading import main_thread

import pytest

from clearcnn import backend
from clearcnn.workflows.fitting.import_meanwhile import import_meanwhile

MODULE = """
import threading
importer = threading.current_thread()
"""


@pytest.fixture
def modules(tmp_path, monkeypatch):
    """Names of a module that can be imported and of one that cannot."""
    (tmp_path / "slow_library.py").write_text(MODULE)
    (tmp_path / "broken_library.py").write_text("raise OSError")
    monkeypatch.syspath_prepend(tmp_path)
    yield ("broken_library", "no_such_library", "slow_library")
    sys.modules.pop("slow_library", None)


def test_modules_are_imported_by_another_thread_when_the_context_ends(modules, monkeypatch):
    monkeypatch.setattr(backend, "_is_own_process", True)
    with import_meanwhile(modules):
        pass
    assert sys.modules["slow_library"].importer is not main_thread()
    assert not sys.modules["slow_library"].importer.is_alive()


def test_an_error_of_the_training_is_passed_on(modules, monkeypatch):
    monkeypatch.setattr(backend, "_is_own_process", True)
    with pytest.raises(KeyboardInterrupt), import_meanwhile(modules):
        raise KeyboardInterrupt
    assert "slow_library" in sys.modules


def test_nothing_is_imported_in_a_users_process(modules, monkeypatch):
    monkeypatch.setattr(backend, "_is_own_process", False)
    with import_meanwhile(modules):
        pass
    assert "slow_library" not in sys.modules
