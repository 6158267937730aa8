"""On several devices, and in several processes, a fit gives the results of one device."""

import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.process

SCRIPT = """
import json, os, sys
import jax
if len(sys.argv) > 1:
    address, rank = sys.argv[1], int(sys.argv[2])
    jax.distributed.initialize(address, num_processes=2, process_id=rank)
import clearcnn
import keras
import numpy as np
from clearcnn.training import fit, program

L = keras.layers
random = np.random.default_rng(0)
x = random.uniform(size=(90, 8, 8, 1)).astype("float32")
y = random.integers(0, 3, 90)
keras.utils.set_random_seed(0)
model = keras.Sequential(
    [keras.Input((8, 8, 1)), L.Conv2D(4, 3, activation="relu", use_bias=False),
     L.BatchNormalization(), L.MaxPooling2D(2), L.Flatten(), L.Dense(3, activation="softmax")]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
shared = []
share_batch = program.share_batch
def spy(batch):
    out = share_batch(batch)
    shared.append(out is not batch and "sharding" in str(type(out[0])) or out[0] is not batch[0])
    return out
program.share_batch = spy
callbacks = [keras.callbacks.EarlyStopping(patience=9, restore_best_weights=True)]
history = fit(model, x, y, batch_size=16, epochs=3, validation_split=0.2, seed=1, verbose=0,
              callbacks=callbacks)
predictions = model.predict(x[:5], verbose=0)
print(json.dumps({
    "devices": jax.device_count(), "shared": any(shared), "history": history.history,
    "weights": np.concatenate([w.ravel() for w in model.get_weights()]).tolist(),
    "predictions": predictions.tolist(),
}))
"""


def start(*arguments, devices=1):
    environment = {
        **os.environ,
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}",
    }
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    out, errors = process.communicate(timeout=240)
    assert process.returncode == 0, errors[-3000:]
    return json.loads(out.splitlines()[-1])


@pytest.fixture(scope="module")
def alone():
    result = finish(start())
    assert (result["devices"], result["shared"]) == (1, False)
    return result


def assert_same(result, alone):
    for name, values in alone["history"].items():
        np.testing.assert_allclose(result["history"][name], values, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(result["weights"], alone["weights"], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(result["predictions"], alone["predictions"], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("devices", [2, pytest.param(4, marks=pytest.mark.release)])
def test_virtual_devices(devices, alone):
    result = finish(start(devices=devices))
    assert (result["devices"], result["shared"]) == (devices, True)
    assert_same(result, alone)


@pytest.mark.release
def test_two_processes(alone):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    results = [finish(p) for p in [start(address, "0"), start(address, "1")]]
    for result in results:
        assert (result["devices"], result["shared"]) == (2, True)
        assert_same(result, alone)
    assert results[0]["weights"] == results[1]["weights"]
