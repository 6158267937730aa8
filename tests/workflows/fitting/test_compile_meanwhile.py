"""A program is compiled by another thread, in processes of our own only."""

from threading import current_thread, main_thread

import pytest

from clearcnn import backend
from clearcnn.workflows.fitting.compile_meanwhile import compile_meanwhile


@pytest.fixture
def compiled():
    return []


def test_the_program_is_compiled_by_another_thread_when_the_context_ends(compiled, monkeypatch):
    monkeypatch.setattr(backend, "_is_own_process", True)
    with compile_meanwhile(lambda: compiled.append(current_thread())) as begin:
        begin()
    (thread,) = compiled
    assert thread is not main_thread()
    assert not thread.is_alive()


def test_nothing_is_compiled_unless_asked_for(compiled, monkeypatch):
    monkeypatch.setattr(backend, "_is_own_process", True)
    with compile_meanwhile(lambda: compiled.append(current_thread())):
        pass
    assert not compiled


def test_nothing_is_compiled_in_a_users_process(compiled, monkeypatch):
    monkeypatch.setattr(backend, "_is_own_process", False)
    with compile_meanwhile(lambda: compiled.append(current_thread())) as begin:
        begin()
    assert not compiled


def test_an_error_of_the_training_is_passed_on_and_one_of_the_compiler_is_not(monkeypatch):
    monkeypatch.setattr(backend, "_is_own_process", True)

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(KeyboardInterrupt), compile_meanwhile(fail) as begin:
        begin()
        raise KeyboardInterrupt
