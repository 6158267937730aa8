"""The playground: a real process that trains, is cancelled, fails and goes on."""

import errno
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from scipy.stats import binomtest

import clearcnn
from clearcnn import data
from clearcnn.bundle import read_bundle
from clearcnn.errors import DivergenceError, SpecError, TrainingError
from clearcnn.results.json_codec import to_json
from clearcnn.specs import LayerSpec, ModelSpec
from clearcnn.workflows.playground import worker
from clearcnn.workflows.playground.playground import MOST_WAITING, Playground
from clearcnn.workflows.runs.run_version import RunVersion

pytestmark = pytest.mark.process


def small(filters=4, kernel_size=3):
    convolution = LayerSpec("Conv2D", {"filters": filters, "kernel_size": kernel_size})
    dense = LayerSpec("Dense", {"units": 10, "activation": "softmax"})
    return ModelSpec("small", (convolution, LayerSpec("Flatten"), dense))


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("runs") / "digits"
    clearcnn.train("digits", recipe="tutorial", epochs=2, out=place)
    return place


@pytest.fixture(scope="module")
def playground():
    opened = Playground()
    yield opened
    opened.close()


def wait(attempt, until=lambda attempt: attempt.is_over, seconds=120):
    latest = time.monotonic() + seconds
    while not until(attempt):
        assert time.monotonic() < latest, attempt.events
        time.sleep(0.02)
    return attempt.events


@pytest.fixture(scope="module")
def finished(playground, run):
    attempt = playground.begin(RunVersion.find(run), small(), 3)
    wait(attempt)
    return attempt


def test_every_epoch_is_told_and_then_the_end(finished):
    assert [event["event"] for event in finished.events] == ["begin", *["epoch"] * 3, "end"]
    assert finished.events[0]["epochs"] == 3
    assert all(0 <= event["metrics"]["val_accuracy"] <= 1 for event in finished.events[1:4])


def validation_part(run):
    manifest = read_bundle(run).manifest
    images = data.load(manifest.data)
    rows = data.split(images, manifest.split).validation
    return images.images[rows], images.labels[rows]


def answer(path, images):
    session = onnxruntime.InferenceSession(path)
    return session.run(["probabilities"], {"images": images})[0].argmax(axis=1)


def test_the_score_is_that_of_the_written_model_on_the_validation_part(finished, run):
    end = finished.events[-1]
    images, labels = validation_part(run)
    right = answer(finished.folder / "model.onnx", images) == labels
    assert (end["score"]["correct"], end["score"]["total"]) == (right.sum(), len(labels))
    before = answer(run / "model.onnx", images) == labels
    assert end["before"]["correct"] == before.sum()
    won, lost = (right & ~before).sum(), (before & ~right).sum()
    assert end["p_value"] == pytest.approx(binomtest(won, won + lost).pvalue)
    assert end["lead"] == won - lost


def test_two_attempts_can_be_compared_with_each_other(finished, playground, run):
    attempt = playground.begin(RunVersion.find(run), small(), 3, finished)
    end = wait(attempt)[-1]
    # The same layers, epochs and seed: the same network.
    assert (end["p_value"], end["lead"]) == (1.0, 0)
    first = (finished.folder / "model.onnx").read_bytes()
    assert (attempt.folder / "model.onnx").read_bytes() == first


def test_the_model_with_layers_gives_every_layer(finished):
    session = onnxruntime.InferenceSession(finished.folder / "model_layers.onnx")
    names = [output.name for output in session.get_outputs()]
    assert names == ["probabilities", "conv2d_1", "flatten_1", "dense_1"]
    described = finished.events[-1]["network"]["layers"]
    assert [layer["name"] for layer in described] == names[1:]


def test_an_attempt_can_be_cancelled_and_the_next_one_trains(playground, run):
    long = playground.begin(RunVersion.find(run), small(40), 200)
    wait(long, lambda attempt: attempt.events)
    playground.cancel(long)
    assert wait(long, seconds=20)[-1] == {"event": "cancelled"}
    assert not long.folder.exists()
    assert wait(playground.begin(RunVersion.find(run), small(), 1))[-1]["event"] == "end"


@pytest.fixture
def halted(monkeypatch):
    """A playground whose trainings end only once `go` is set, and train nothing."""

    def train(_, attempt):
        go.wait(60)
        attempt.folder.mkdir()
        (attempt.folder / "model.onnx").touch()
        attempt.events.append({"event": "end"})

    go = threading.Event()
    monkeypatch.setattr(Playground, "_train_in_worker", train)
    opened = Playground()
    opened.go = go
    yield opened
    go.set()
    opened.close()


def test_an_attempt_that_waits_is_cancelled_at_once_and_gives_its_place_up(halted, run):
    first = halted.begin(RunVersion.find(run), small(), 2)
    wait_until(lambda: not halted._waiting)
    waiting = [halted.begin(RunVersion.find(run), small(), 2) for _ in range(MOST_WAITING)]
    with pytest.raises(TrainingError, match="already waiting"):
        halted.begin(RunVersion.find(run), small(), 2)
    halted.cancel(waiting[1])
    assert waiting[1].events == [{"event": "cancelled"}]
    late = halted.begin(RunVersion.find(run), small(), 2)
    halted.go.set()
    assert wait(late) == [{"event": "end"}]
    assert not first.cancelled.is_set()
    assert waiting[1].events == [{"event": "cancelled"}]


def test_the_oldest_are_forgotten_but_not_what_goes_on_or_is_compared_with(
    halted, run, monkeypatch
):
    monkeypatch.setattr("clearcnn.workflows.playground.playground._MOST_KEPT", 2)
    halted.go.set()
    first, second = [halted.begin(RunVersion.find(run), small(), 1) for _ in range(2)]
    wait(second)
    halted.go.clear()
    third = halted.begin(RunVersion.find(run), small(), 1, first)
    fourth = halted.begin(RunVersion.find(run), small(), 1)
    assert halted.find(first.number) is first and (first.folder / "model.onnx").exists()
    assert halted.find(second.number) is None and not second.folder.exists()
    halted.go.set()
    wait(fourth)
    fifth = halted.begin(RunVersion.find(run), small(), 1)
    known = [halted.find(number) for number in range(1, 6)]
    assert known == [None, None, None, fourth, fifth]
    assert third.events == [{"event": "end"}]


def test_what_cannot_be_trained_is_said_and_the_playground_goes_on(playground, tmp_path, run):
    events = wait(playground.begin(RunVersion.find(tmp_path), small(), 1))
    assert events[-1]["event"] == "error"
    assert "bundle.json" in events[-1]["problem"]
    assert wait(playground.begin(RunVersion.find(run), small(), 1))[-1]["event"] == "end"


def test_a_process_that_dies_is_replaced(playground, run):
    attempt = playground.begin(RunVersion.find(run), small(41), 200)
    wait(attempt, lambda attempt: attempt.events)
    playground._process.kill()
    assert "ended unexpectedly" in wait(attempt)[-1]["problem"]
    assert wait(playground.begin(RunVersion.find(run), small(), 1))[-1]["event"] == "end"


class Pipe(list):
    """The end of a pipe that keeps what it is sent."""

    def send_bytes(self, content):
        self.append(json.loads(content))


FULL = OSError(errno.ENOSPC, "No space left on device")
DIVERGED = DivergenceError("Training stopped in epoch 3: NaN.", remedy="Mend it.", epoch=2)


@pytest.mark.parametrize(
    ("error", "code", "values"),
    [
        (FULL, "not_written", {"reason": "No space left on device"}),
        (DIVERGED, "diverged", {"epoch": 3}),
        (MemoryError(), "no_memory", {}),
    ],
)
def test_a_training_that_fails_is_told_by_a_code_and_leaves_no_half_file(
    error, code, values, tmp_path, monkeypatch
):
    class Experiment:
        def __init__(self, *_):
            pass

        def prepare(self):
            raise FULL

        def train(self, out, *_):
            if error is FULL:
                out.mkdir()
                (out / "model.onnx").write_bytes(b"half")
            raise error

    monkeypatch.setattr(worker, "Experiment", Experiment)
    monkeypatch.setattr(worker, "_read", lambda *_: (None, None))
    doer, out = worker._Worker(pipe := Pipe(), None), tmp_path / "1"
    job = {"run": str(tmp_path), "fingerprint": None, "model": to_json(small()), "epochs": 1}
    doer.prepare(job)
    doer.train({**job, "out": str(out), "against": None})
    assert pipe[0] == {"event": "prepared"}
    assert (pipe[1]["event"], pipe[1]["code"], pipe[1]["values"]) == ("error", code, values)
    assert not out.exists()


@pytest.mark.parametrize("epochs", [0, 201])
def test_epochs_out_of_range_are_refused(playground, run, epochs):
    with pytest.raises(SpecError, match=f"epochs={epochs} is out of range: 1 to 200"):
        playground.begin(RunVersion.find(run), small(), epochs)


def test_only_so_many_may_wait_and_closing_removes_everything(run):
    opened = Playground()
    attempts = [opened.begin(RunVersion.find(run), small(), 200)]
    with pytest.raises(TrainingError, match="already waiting"):
        attempts.extend(
            opened.begin(RunVersion.find(run), small(), 200) for _ in range(MOST_WAITING + 2)
        )
    room = attempts[0].folder.parent
    process_id = wait(attempts[0], lambda _: opened._process) and opened._process.pid
    opened.close()
    assert not room.exists()
    assert np.all([not attempt.events or attempt.is_over for attempt in attempts])
    assert opened._process is None and process_id


SERVER = """
import os, sys, time
from pathlib import Path
from clearcnn.specs import LayerSpec, ModelSpec
from clearcnn.workflows.playground.playground import Playground
from clearcnn.workflows.runs.run_version import RunVersion
if __name__ == "__main__":
    playground = Playground()
    model = ModelSpec("m", (LayerSpec("Flatten"), LayerSpec("Dense", {"units": 10})))
    room = playground.begin(RunVersion.find(Path("nowhere")), model, 1).folder.parent
    print(room, flush=True)
    if sys.argv[1] == "kill":
        os.kill(os.getpid(), 9)
    if sys.argv[1] == "close":
        playground.close()
"""


@pytest.mark.parametrize("end", ["close", "forget", "kill"])
def test_a_folder_outlives_no_server_for_long(end, tmp_path, monkeypatch):
    (tmp_path / "server.py").write_text(SERVER)
    (tmp_path / "clearcnn-playground-mine").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    command = [sys.executable, tmp_path / "server.py", end]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    room = Path(done.stdout.strip())
    assert room.parent == tmp_path
    assert room.exists() == (end == "kill")
    alive = Playground()
    taken = alive.begin(RunVersion.find(tmp_path), small(), 1).folder.parent
    assert taken.stat().st_mode & 0o077 == 0
    Playground().close()
    assert not room.exists()
    assert taken.exists()
    alive.close()
    assert not taken.exists()
    assert (tmp_path / "clearcnn-playground-mine").exists()


def wait_until(found, seconds=120):
    latest = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < latest
        time.sleep(0.02)


@pytest.mark.release
def test_what_is_prepared_trains_to_the_same_network(run, monkeypatch):
    opened = Playground()
    try:
        prepared = []
        original = opened._prepare_in_worker
        monkeypatch.setattr(
            opened, "_prepare_in_worker", lambda wish: (original(wish), prepared.append(wish))
        )
        opened.prepare(RunVersion.find(run), small(5), 3)
        wait_until(lambda: prepared)
        ahead = opened.begin(RunVersion.find(run), small(5), 3)
        assert wait(ahead)[-1]["event"] == "end"
        # Its own name is another key, so nothing of the first one is at hand.
        late = opened.begin(RunVersion.find(run), ModelSpec("late", small(5).layers), 3)
        assert wait(late)[-1]["event"] == "end"
        scores = [attempt.events[-1]["score"] for attempt in (ahead, late)]
        assert scores[0] == scores[1]
        metrics = [
            [event["metrics"] for event in attempt.events if event["event"] == "epoch"]
            for attempt in (ahead, late)
        ]
        assert metrics[0] == metrics[1]
    finally:
        opened.close()


def test_of_what_is_to_be_prepared_only_the_latest_counts_and_trainings_go_first(run, monkeypatch):
    done = []
    monkeypatch.setattr(Playground, "_prepare_in_worker", lambda _, wish: done.append(wish))
    opened = Playground()
    try:
        trained = []

        def train(attempt):
            trained.append(attempt.number)
            for filters in (2, 3, 4):
                opened.prepare(RunVersion.find(run), small(filters), 1)
            attempt.events.append({"event": "end"})

        monkeypatch.setattr(opened, "_train_in_worker", train)
        opened.begin(RunVersion.find(run), small(), 1)
        wait_until(lambda: done)
        assert trained == [1]
        assert [wish["model"]["layers"][0]["arguments"]["filters"] for wish in done] == [4]
    finally:
        opened.close()


@pytest.mark.release
def test_a_preparation_that_hinders_a_training_is_given_up(run, monkeypatch):
    monkeypatch.setattr("clearcnn.workflows.playground.playground._GRACE_SECONDS", 0.2)
    opened = Playground()
    try:
        opened.prepare(RunVersion.find(run), small(39), 1)
        wait_until(lambda: opened._process is not None)
        first = opened._process
        attempt = opened.begin(RunVersion.find(run), small(), 1)
        # The first process is still loading Keras.
        assert wait(attempt)[-1]["event"] == "end"
        assert not first.is_alive()
    finally:
        opened.close()


def test_what_cannot_be_prepared_is_told_to_whoever_trains_it(playground, tmp_path):
    playground.prepare(RunVersion.find(tmp_path), small(), 1)
    assert wait(playground.begin(RunVersion.find(tmp_path), small(), 1))[-1]["event"] == "error"


@pytest.mark.release
def test_a_run_that_was_replaced_is_read_anew(playground, tmp_path):
    place = tmp_path / "digits"
    for epochs in (1, 3):
        clearcnn.train("digits", recipe="tutorial", epochs=epochs, out=tmp_path / "new")
        if place.exists():
            place.rename(tmp_path / "old")
        (tmp_path / "new").rename(place)
        end = wait(playground.begin(RunVersion.find(place), small(), 1))[-1]
        images, labels = validation_part(place)
        right = answer(place / "model.onnx", images) == labels
        assert end["before"]["correct"] == right.sum()


def test_a_run_that_is_not_the_one_the_server_loaded_is_an_error(playground, run, tmp_path):
    place = shutil.copytree(run, tmp_path / "digits")
    loaded = RunVersion.find(place)
    manifest = place / "bundle.json"
    manifest.write_bytes(manifest.read_bytes() + b" ")
    assert not loaded.is_current()
    end = wait(playground.begin(loaded, small(), 1))[-1]
    assert (end["event"], end["code"]) == ("error", "run_replaced")
