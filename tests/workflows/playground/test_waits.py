"""What an attempt waits for, told while it has no events."""

import threading
import time

import pytest

from clearcnn.specs import LayerSpec, ModelSpec
from clearcnn.workflows.playground.playground import Playground
from clearcnn.workflows.runs.run_version import RunVersion


def make_model(units=10):
    return ModelSpec("small", (LayerSpec("Flatten"), LayerSpec("Dense", {"units": units})))


@pytest.fixture
def playground(monkeypatch):
    """A playground whose tasks end only once `go` is set, and do nothing."""

    def train(_, attempt):
        go.wait(60)
        attempt.events.append({"event": "end"})

    go = threading.Event()
    monkeypatch.setattr(Playground, "_train_in_worker", train)
    monkeypatch.setattr(Playground, "_prepare_in_worker", lambda *_: go.wait(60))
    opened = Playground()
    opened.go = go
    yield opened
    go.set()
    opened.close()


def wait_until(found):
    latest = time.monotonic() + 60
    while not found():
        assert time.monotonic() < latest
        time.sleep(0.01)


def test_an_attempt_is_told_how_many_are_ahead_and_what_its_process_does(playground, tmp_path):
    version = RunVersion.find(tmp_path)
    first = playground.begin(version, make_model(), 2)
    wait_until(lambda: not playground._waiting)
    attempts = [first, *(playground.begin(version, make_model(), 2) for _ in range(2))]
    assert [playground.find_wait(each) for each in attempts] == [
        {"event": "waiting", "for": "process"},
        {"event": "waiting", "for": "trainings", "ahead": 1},
        {"event": "waiting", "for": "trainings", "ahead": 2},
    ]
    playground._is_warm = True
    assert playground.find_wait(first) == {"event": "waiting", "for": "images"}
    playground.go.set()
    wait_until(lambda: attempts[2].is_over)
    assert [playground.find_wait(each) for each in attempts] == [None] * 3


@pytest.mark.parametrize(("units", "reason"), [(10, "compiling"), (11, "preparation")])
def test_an_attempt_behind_a_preparation_is_told_whose_it_is(playground, tmp_path, units, reason):
    playground._is_warm = True
    version = RunVersion.find(tmp_path)
    playground.prepare(version, make_model(), 2)
    wait_until(lambda: playground._task is not None)
    attempt = playground.begin(version, make_model(units), 2)
    assert playground.find_wait(attempt) == {"event": "waiting", "for": reason}
