"""A program is compiled by another thread, in processes of our own only."""

from threading import current_thread, main_thread

import numpy as np
import pytest

import clearcnn
from clearcnn import backend
from clearcnn.data import Split
from clearcnn.specs import DataSpec, SplitSpec
from clearcnn.training import program_cache
from clearcnn.workflows.fitting.compile_meanwhile import compile_meanwhile
from clearcnn.workflows.fitting.fit_plan import fit_plan
from clearcnn.workflows.fitting.listeners import TrainListener
from clearcnn.workflows.fitting.phase_timer import PhaseTimer
from clearcnn.workflows.fitting.plan import plan_training
from clearcnn.workflows.fitting.trainer import predict_probabilities


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


def test_after_a_training_its_predictions_compile_nothing_and_have_the_same_bits(monkeypatch):
    monkeypatch.setattr(program_cache, "_programs", type(program_cache._programs)())
    images = clearcnn.load("digits").take(np.arange(200))
    rows = np.arange(200)
    plan = plan_training(
        images,
        Split(rows[:120], rows[120:160], rows[160:]),
        recipe="tutorial",
        seed=1,
        data_spec=DataSpec("digits"),
        split_spec=SplitSpec(),
        settings={"epochs": 2},
    )
    monkeypatch.setattr(backend, "_is_own_process", True)
    network = fit_plan(plan, TrainListener(), PhaseTimer()).network
    compiled = []

    def compile_and_count(lowered):
        compiled.append(lowered)
        return compile_lowered(lowered)

    compile_lowered = program_cache.compile_lowered
    monkeypatch.setattr(program_cache, "compile_lowered", compile_and_count)
    found = predict_probabilities(network, images.images[plan.splits.test])
    assert not compiled
    program_cache._programs.clear()
    again = predict_probabilities(network, images.images[plan.splits.test])
    assert len(compiled) == 1
    np.testing.assert_array_equal(found, again)
