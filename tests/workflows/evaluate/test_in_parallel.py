"""Trainings that run at once: their results, and their end after Ctrl-C."""

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import joblib
import numpy as np
import pytest

import clearcnn
from clearcnn.evaluation import make_random_folds
from clearcnn.workflows.check import label_issues
from clearcnn.workflows.evaluate import learning_curve, protocol
from clearcnn.workflows.evaluate.cross_validate import Candidate, FoldOutcome, fit_fold
from clearcnn.workflows.evaluate.in_parallel import (
    TrainingStoppedError,
    run_in_parallel,
    train_in_parallel,
)
from clearcnn.workflows.evaluate.protocol import ProtocolRun
from clearcnn.workflows.fitting.listeners import TrainListener

DIGITS = clearcnn.load("digits")
FEW = dataclasses.replace(DIGITS.take(np.arange(0, 1797, 6)), groups=None)
FOLDS = make_random_folds(FEW.labels, num_folds=4, repeat=0, seed=1)
BRIEF = Candidate("tutorial", "tutorial", settings={"epochs": 2})


class Endless:
    """Replaces `fit_fold`: the first fold ends at once, the others only when they are stopped."""

    def __init__(self):
        self.lock, self.begun, self.ended = threading.Lock(), 0, 0

    def __call__(self, images, _candidate, fold, _size, seed, *, listener, **_options):
        with self.lock:
            self.begun += 1
        first = fold.test[0] == FOLDS[0].test[0]
        try:
            while not first:
                listener.on_epoch_end(0, {})
                time.sleep(0.001)
        except KeyboardInterrupt:
            raise TrainingStoppedError from None
        finally:
            with self.lock:
                self.ended += 1
        answers = images.labels[fold.test]
        return FoldOutcome(fold, seed, 10, answers, np.eye(10, dtype=np.float32)[answers])


def press_ctrl_c():
    os.kill(os.getpid(), signal.SIGINT)


def run_folds():
    ProtocolRun("random", FEW, FOLDS).fit_candidates([BRIEF], FOLDS, 1, press_ctrl_c)


def run_curve():
    learning_curve.trace_learning(ProtocolRun("random", FEW, FOLDS), BRIEF, 1, press_ctrl_c)


def run_check():
    check = label_issues.LabelCheck(FEW, BRIEF, FOLDS, 100, 1)
    label_issues.find_suspects(check, press_ctrl_c)


@pytest.mark.parametrize(
    ("room", "run"),
    [(protocol, run_folds), (learning_curve, run_curve), (label_issues, run_check)],
    ids=["folds", "learning curve", "check"],
)
def test_after_ctrl_c_no_training_runs_on(room, run, monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 3)
    training = Endless()
    monkeypatch.setattr(room, "fit_fold", training)
    with pytest.raises(KeyboardInterrupt):
        run()
    assert 2 <= training.begun == training.ended


def test_another_error_stops_the_others_too(monkeypatch):
    monkeypatch.setattr(joblib, "cpu_count", lambda: 2)
    training = Endless()

    def fail(*_):
        raise ValueError("spoilt")

    tasks = [partial(training, FEW, BRIEF, fold, 100, 1) for fold in FOLDS]
    with pytest.raises(ValueError, match="spoilt"):
        train_in_parallel(tasks, fail)
    assert 2 <= training.begun == training.ended


def test_on_one_core_ctrl_c_ends_the_training_and_is_raised(monkeypatch):
    """Then joblib trains in the main thread, where Ctrl-C ends one training early."""
    monkeypatch.setattr(joblib, "cpu_count", lambda: 1)
    found = {}
    long = dataclasses.replace(BRIEF, settings={"epochs": 100_000})
    epochs = []

    class Pressing(TrainListener):
        def on_epoch_end(self, epoch, _):
            epochs.append(epoch)
            if epoch == 0:
                press_ctrl_c()

    def fit_and_press(listener):
        assert listener is not None
        return fit_fold(FEW, long, FOLDS[1], 100, 1, listener=Pressing())

    tasks = [partial(fit_fold, FEW, BRIEF, FOLDS[0], 100, 1), fit_and_press]
    with pytest.raises(KeyboardInterrupt):
        train_in_parallel(tasks, found.__setitem__)
    assert [*found] == [0]
    assert 0 < len(epochs) < 100_000


@pytest.mark.release
def test_workers_of_joblib_give_the_same_bits():
    """Processes get tasks and send predictions back by pickle."""
    tasks = [partial(fit_fold, FEW, BRIEF, fold, 100, 7) for fold in FOLDS[:3]]
    here, there = {}, {}
    train_in_parallel(tasks, here.__setitem__)
    with joblib.parallel_config(backend="loky", n_jobs=2):
        train_in_parallel(tasks, there.__setitem__)
    assert sorted(there) == [0, 1, 2]
    for position, outcome in there.items():
        assert np.array_equal(outcome.probabilities, here[position].probabilities)


# In its own process, as the cluster is started by a fork.
ON_TWO_NODES = """
import dataclasses, sys
import joblib, numpy as np, ray
from ray.cluster_utils import Cluster
from ray.util.joblib import register_ray
import clearcnn

cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
cluster.add_node(num_cpus=1)
ray.init(address=cluster.address, log_to_driver=False)
register_ray()
assert len(ray.nodes()) == 2
few = dataclasses.replace(clearcnn.load("digits").take(np.arange(0, 1797, 6)), groups=None)
options = {"recipe": "tutorial", "epochs": 2, "folds": 3}
here = clearcnn.evaluate(few, **options, out=sys.argv[1] + "/here")
with joblib.parallel_config(backend="ray", n_jobs=2, ray_remote_args={"num_cpus": 1}):
    there = clearcnn.evaluate(few, **options, out=sys.argv[1] + "/there")
assert there.protocols == here.protocols
assert there.robustness == here.robustness
assert there.learning_curve == here.learning_curve
print("the same")
ray.shutdown()
cluster.shutdown()
"""


@pytest.mark.process
@pytest.mark.release
def test_two_nodes_of_ray_give_the_same_evaluation(tmp_path):
    """Ray gives no results one by one, as other backends of joblib do."""
    pytest.importorskip("ray")
    command = [sys.executable, "-c", ON_TWO_NODES, str(tmp_path)]
    # Otherwise Ray runs its workers at niceness 15.
    environment = {**os.environ, "RAY_worker_niceness": "0"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "the same" in done.stdout


def test_results_come_with_their_positions():
    tasks = [partial(pow, number, 2) for number in range(9)]
    assert dict(run_in_parallel(tasks)) == {number: number**2 for number in range(9)}


@pytest.mark.parametrize(("folds", "chosen"), [(2, 2), (3, 3), (5, 3), (10, 5), (14, 5)])
def test_the_learning_curve_uses_half_of_the_folds(folds, chosen):
    run = ProtocolRun("random", FEW, [FOLDS[0]] * folds)
    assert len(learning_curve.choose_folds(run)) == chosen
