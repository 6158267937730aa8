"""`fit_many` on a Ray cluster of two nodes, in separate processes."""

import joblib
import numpy as np
import pytest

from clearcnn.training import fit_many

import keras  # isort: skip

ray = pytest.importorskip("ray", reason="Ray is not installed; `pip install ray` to try a cluster")

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.slow,
    # Ray warns of its own changes, and leaves sockets to the garbage collector.
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture
def two_nodes():
    from ray.cluster_utils import Cluster
    from ray.util.joblib import register_ray

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address)
    register_ray()
    yield
    ray.shutdown()
    cluster.shutdown()


def test_two_nodes_give_what_one_process_gives(two_nodes, tmp_path):
    def build(seed):
        model = keras.Sequential(
            [
                keras.Input((6, 6, 1)),
                keras.layers.Conv2D(3, 3, activation="relu"),
                keras.layers.Flatten(),
                keras.layers.Dense(3, activation="softmax"),
            ]
        )
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        if ray.get_runtime_context().worker.mode == ray.WORKER_MODE:
            (tmp_path / ray.get_runtime_context().get_node_id()).touch()
        return model

    random = np.random.default_rng(0)
    x = random.uniform(size=(43, 6, 6, 1)).astype("float32")
    y = random.integers(0, 3, 43)
    settings = {"seeds": [0, 1, 2, 3], "batch_size": 8, "epochs": 3}
    here = fit_many(build, x, y, **settings)
    one_core_each = {"num_cpus": 1}
    with joblib.parallel_config(backend="ray", n_jobs=2, ray_remote_args=one_core_each):
        there = fit_many(build, x, y, **settings)

    assert len(list(tmp_path.iterdir())) == 2
    for one, other in zip(here, there, strict=True):
        assert one.seed == other.seed
        assert one.history == other.history
        for got, wanted in zip(other.model.get_weights(), one.model.get_weights(), strict=True):
            np.testing.assert_array_equal(got, wanted)
