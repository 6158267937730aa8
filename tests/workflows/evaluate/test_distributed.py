"""Evaluations and checks whose trainings run elsewhere give the same to the bit."""

import dataclasses

import joblib
import numpy as np
import pytest

import clearcnn
from clearcnn.workflows.evaluate import cross_validate, protocol

DIGITS = clearcnn.load("digits")
FEW = dataclasses.replace(DIGITS.take(np.arange(0, 1797, 9)), groups=None)
QUICK = {"recipe": "tutorial", "epochs": 2, "folds": 2}


def evaluate(folder):
    result = clearcnn.evaluate(FEW, **QUICK, out=folder)
    return (folder / "predictions.csv").read_bytes(), result.protocols, result.learning_curve


def check(folder):
    result = clearcnn.check(FEW, epochs=1, out=folder)
    return result.suspects, result.findings


@pytest.mark.process
@pytest.mark.parametrize("verb", [evaluate, check])
def test_other_processes_give_what_this_one_gives(verb, tmp_path):
    here = verb(tmp_path / "here")
    with joblib.parallel_config(backend="loky", n_jobs=2):
        there = verb(tmp_path / "there")
    assert there == here


@pytest.fixture
def two_nodes():
    ray = pytest.importorskip("ray", reason="Ray is not installed; `pip install ray` to try it")
    from ray.cluster_utils import Cluster
    from ray.util.joblib import register_ray

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    ray.init(address=cluster.address)
    register_ray()
    yield ray
    ray.shutdown()
    cluster.shutdown()


@pytest.mark.cluster
@pytest.mark.release
@pytest.mark.filterwarnings("default")  # Ray warns of its own changes.
def test_two_nodes_of_a_ray_cluster_give_what_one_process_gives(two_nodes, tmp_path, monkeypatch):
    def note_node(images, *rest, **more):
        context = two_nodes.get_runtime_context()
        if context.worker.mode == two_nodes.WORKER_MODE:
            (seen / context.get_node_id()).touch()
        return fit_fold(images, *rest, **more)

    fit_fold = cross_validate.fit_fold
    (seen := tmp_path / "seen").mkdir()
    here = evaluate(tmp_path / "here"), check(tmp_path / "checked here")
    monkeypatch.setattr(protocol, "fit_fold", note_node)
    one_core_each = {"num_cpus": 1}
    with joblib.parallel_config(backend="ray", n_jobs=2, ray_remote_args=one_core_each):
        there = evaluate(tmp_path / "there"), check(tmp_path / "checked there")
    assert len(list(seen.iterdir())) == 2
    assert there == here
