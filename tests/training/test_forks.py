"""In a process that was forked after JAX had computed, an error that names spawn, and no hang.

Real forks, each in a fresh interpreter, which kills and reports a child that hangs.
"""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

SCRIPT = """
import multiprocessing, os, signal, sys, time, warnings
warnings.simplefilter("ignore")  # JAX warns of each fork.
import numpy as np
import clearcnn, clearcnn.errors

random = np.random.default_rng(0)
x, y = random.uniform(size=(40, 6, 6, 1)).astype("float32"), np.arange(40) % 2

def build(seed=0):
    import keras
    layers = [keras.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(2, "softmax")]
    model = keras.Sequential(layers)
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model

def fit():
    return clearcnn.fit(build(), x, y, verbose=0)

def fit_many():
    return clearcnn.fit_many(build, x, y)

def classifier():
    return clearcnn.CNNClassifier(recipe="tutorial", epochs=1, random_state=0)

def in_child(work, seconds):
    child = os.fork()
    if child == 0:
        try:
            work()
            print("done", flush=True)
        except clearcnn.errors.BackendError as error:
            print("spawn" if "spawn" in error.remedy else error, flush=True)
        finally:
            os._exit(0)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    print("waits for ever", flush=True)
"""


def run(script: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT + script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


def test_a_fork_after_a_fit_is_refused_at_every_door() -> None:
    doors = [
        "lambda: clearcnn.fit(model, x, y)",
        "fit_many",
        "lambda: classifier().fit(x, y)",
        "lambda: fitted.predict(x)",
        "lambda: fitted.model_",
        "lambda: clearcnn.train('digits', epochs=1)",
        "lambda: clearcnn.evaluate('digits')",
    ]
    script = "fitted, model = classifier().fit(x, y), build()\n" + "\n".join(
        f"in_child({door}, 60)" for door in doors
    )
    assert run(script) == ["spawn"] * len(doors)


def test_a_fork_after_keras_alone_has_computed_is_refused_by_keras_too() -> None:
    doors = ["build", "lambda: model.fit(x, y)", "lambda: model.predict(x)", "lambda: model(x)"]
    script = "model = build()\n" + "\n".join(f"in_child({door}, 60)" for door in doors)
    assert run(script) == ["spawn"] * len(doors)


@pytest.mark.parametrize("before", ["", "import keras"], ids=["nothing loaded", "Keras loaded"])
def test_a_fork_before_jax_computes_trains(before: str) -> None:
    assert run(f"{before}\nin_child(fit, 600)") == ["done"]


def test_a_grandchild_of_a_process_without_jax_is_refused_once_its_parent_has_computed() -> None:
    script = "def nested():\n    fit()\n    in_child(fit, 60)\nin_child(nested, 600)"
    assert run(script) == ["spawn", "done"]


def test_a_pool_of_forked_processes_tells_its_parent() -> None:
    script = """
fit()
with multiprocessing.get_context("fork").Pool(2) as pool:
    try:
        pool.apply_async(fit).get(60)
    except clearcnn.errors.BackendError as error:
        print("spawn" if "spawn" in error.remedy else error)
"""
    assert run(script) == ["spawn"]


def test_a_grid_search_over_forked_processes_ends_and_one_over_loky_works() -> None:
    script = """
import joblib
from sklearn.model_selection import GridSearchCV
fit()
for backend in ("multiprocessing", "loky"):
    search = GridSearchCV(classifier(), {"epochs": [1, 2]}, cv=2, n_jobs=2)
    try:
        with joblib.parallel_config(backend=backend):
            search.fit(x, y)
        print("searched")
    except ValueError as error:
        print("spawn" if "spawn" in str(error) else error)
"""
    assert run(script) == ["spawn", "searched"]
