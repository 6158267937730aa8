"""The questions, one file each: the docstring asks, `QUESTION` says how it is measured."""

import importlib
from types import ModuleType

# In the order of the page.
NAMES = (
    "digits_fit",
    "digits_raw_pytorch",
    "digits_process",
    "mnist_throughput",
    "colour_throughput",
    "networks",
    "ten_seeds",
    "mnist_memory",
    "tuned_peers",
    "first_run",
    "equal_epochs",
    "accuracy_digits",
    "pictures",
    "baselines",
    "growth",
)


def load(name: str) -> ModuleType:
    """Return the module of a question; it has `__doc__` and `QUESTION`."""
    return importlib.import_module(f"{__name__}.{name}")
