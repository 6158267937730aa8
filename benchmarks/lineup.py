"""The contenders for a workload, by their names in the tables."""

from typing import Any

from benchmarks.contest import SEED, Contender
from benchmarks.workloads import Workload

OURS = "clearcnn.fit"
KERAS_TENSORFLOW = "Keras/TensorFlow"
KERAS_JAX = "Keras/JAX"
KERAS_PYTORCH = "Keras/PyTorch"
PYTORCH = "PyTorch loop"
PYTORCH_ONE_THREAD = "PyTorch loop, one thread"
KERAS = (KERAS_TENSORFLOW, KERAS_JAX, KERAS_PYTORCH)

# Name → environment and Keras's name of the backend.
BACKENDS = {
    KERAS_TENSORFLOW: ("keras-tensorflow", "tensorflow"),
    KERAS_JAX: ("keras-jax", "jax"),
    KERAS_PYTORCH: ("torch", "torch"),
}


def ours(workload: Workload, *options: str, name: str = OURS) -> Contender:
    """`clearcnn.fit` in the environment of the project."""
    command = ("keras_fit.py", "--with", "clearcnn.fit", *_work(workload), *options)
    return Contender(name, "clearcnn", command)


def keras(backend: str, workload: Workload, *options: str, name: str | None = None) -> Contender:
    """`model.fit` on a backend; on TensorFlow, XLA is tried and used if it is faster."""
    environment, setting = BACKENDS[backend]
    if backend == KERAS_TENSORFLOW and "--jit" not in options and "--cold" not in options:
        options = (*options, "--jit", "try")
    command = ("keras_fit.py", "--with", "model.fit", *_work(workload), *options)
    return Contender(name or backend, environment, command, {"KERAS_BACKEND": setting})


def pytorch(workload: Workload, *options: str, name: str = PYTORCH) -> Contender:
    """The hand-written loop in PyTorch."""
    return Contender(name, "torch", ("torch_loop.py", *_work(workload), *options))


def tutorial_scripts(*options: str, **settings: Any) -> list[Contender]:
    """The tutorial as a script of its own, in Keras on each backend and in PyTorch."""
    scripts = [
        Contender(
            name,
            environment,
            ("keras_tutorial.py", *options),
            {"KERAS_BACKEND": backend, **keep_programs(backend, **settings)},
            **settings,
        )
        for name, (environment, backend) in BACKENDS.items()
    ]
    return [*scripts, Contender(PYTORCH, "torch", ("torch_tutorial.py", *options), **settings)]


def _work(workload: Workload) -> tuple[str, ...]:
    return ("--workload", workload.to_json(), "--seed", SEED)


def keep_programs(backend: str, keeps_cache: bool = True) -> dict[str, str]:
    """JAX's own cache of compiled programs, which its users must turn on themselves."""
    if backend != "jax" or not keeps_cache:
        return {}
    return {
        "JAX_COMPILATION_CACHE_DIR": "{caches}/jax",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
