"""Keras runs on JAX: chosen before Keras loads, and anything else is said with its remedy."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.process


def run(script: str, **variables: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


FIT = """
try:
    clearcnn.fit(None)
except clearcnn.errors.ClearCNNError as error:
    print(type(error).__name__, error.problem, error.remedy, sep="|")
"""


def test_importing_clearcnn_first_chooses_jax() -> None:
    assert run("import clearcnn, keras; print(keras.backend.backend())") == "jax"


def test_importing_clearcnn_loads_neither_keras_nor_jax() -> None:
    script = "import clearcnn, sys; print({'keras', 'jax'} & set(sys.modules))"
    assert run(script) == "set()"


LOAD = """
import sys, clearcnn
from clearcnn import backend
{first}
backend.load_keras()
extras = [name for name in ("matplotlib", "scipy.sparse", "sklearn") if name in sys.modules]
import matplotlib.figure, scipy.sparse, sklearn
print(*extras)
"""


@pytest.mark.release
def test_keras_is_loaded_whole_in_a_users_process() -> None:
    assert run(LOAD.format(first="")) == "matplotlib scipy.sparse sklearn"


def test_our_own_process_loads_keras_without_extras_and_can_load_them_after() -> None:
    assert run(LOAD.format(first="backend.own_process()")) == ""


def test_what_keras_would_have_imported_is_imported_at_its_first_use() -> None:
    script = LOAD.format(first="backend.own_process()") + (
        "import jax.experimental.sparse.linalg as solvers\n"
        "from keras.src.backend.jax import nn\n"
        "print(solvers.scipy.sparse.linalg.spsolve.__module__)\n"
        "print(nn.splash_attention_kernel.make_splash_mha.func.__module__)\n"
        "print(nn.splash_attention_mask.CausalMask.__module__)\n"
    )
    solver, kernel, mask = run(script).splitlines()
    assert solver.startswith("scipy.sparse.linalg.")
    assert kernel.endswith(".splash_attention.splash_attention_kernel")
    assert mask.endswith(".splash_attention.splash_attention_mask")


@pytest.mark.parametrize(
    ("script", "variables", "words"),
    [
        (
            "import os; os.environ['KERAS_BACKEND'] = 'numpy'\nimport keras\n"
            "import clearcnn, clearcnn.errors\n" + FIT,
            {},
            "already imported with the 'numpy' backend",
        ),
        (
            "import clearcnn, clearcnn.errors\n" + FIT,
            {"KERAS_BACKEND": "numpy"},
            "KERAS_BACKEND is 'numpy'",
        ),
    ],
    ids=["loaded before", "asked for"],
)
def test_another_backend_is_said_with_its_remedy(
    script: str, variables: dict[str, str], words: str
) -> None:
    kind, problem, remedy = run(script, **variables).split("|")
    assert kind == "BackendError"
    assert words in problem
    assert "KERAS_BACKEND=jax" in remedy
