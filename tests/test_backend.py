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
extras = [name for name in ("matplotlib", "sklearn") if name in sys.modules]
import matplotlib.figure, sklearn
print(*extras)
"""


@pytest.mark.release
def test_keras_is_loaded_whole_in_a_users_process() -> None:
    assert run(LOAD.format(first="")) == "matplotlib sklearn"


def test_our_own_process_loads_keras_without_extras_and_can_load_them_after() -> None:
    assert run(LOAD.format(first="backend.own_process()")) == ""


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
