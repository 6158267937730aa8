"""From a folder of labelled small images to a CNN you can trust, see into and ship.

The public names load what they need when they are first used; importing clearcnn itself is
quick, and names JAX as Keras's backend if nobody has named one.
"""

import importlib
import os
from typing import TYPE_CHECKING

from clearcnn import backend as _backend
from clearcnn.version import __version__

if TYPE_CHECKING:
    from clearcnn.data import LabelledImages, load
    from clearcnn.training import fit, fit_many
    from clearcnn.workflows.check.check import check
    from clearcnn.workflows.evaluate.evaluate import compare, evaluate
    from clearcnn.workflows.explain.explain import explain
    from clearcnn.workflows.export import export_run
    from clearcnn.workflows.predict.predict import predict
    from clearcnn.workflows.sklearn_api.classifier import CNNClassifier
    from clearcnn.workflows.train.train import train

_backend.prefer_jax()

# Otherwise ONNX Runtime keeps a database of what it did, to be sent to its makers.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_HOMES = {
    "CNNClassifier": "clearcnn.workflows.sklearn_api.classifier",
    "LabelledImages": "clearcnn.data",
    "check": "clearcnn.workflows.check.check",
    "compare": "clearcnn.workflows.evaluate.evaluate",
    "evaluate": "clearcnn.workflows.evaluate.evaluate",
    "explain": "clearcnn.workflows.explain.explain",
    "export_run": "clearcnn.workflows.export",
    "fit": "clearcnn.training",
    "fit_many": "clearcnn.training",
    "load": "clearcnn.data",
    "predict": "clearcnn.workflows.predict.predict",
    "train": "clearcnn.workflows.train.train",
}

__all__ = [
    "CNNClassifier",
    "LabelledImages",
    "__version__",
    "check",
    "compare",
    "evaluate",
    "explain",
    "export_run",
    "fit",
    "fit_many",
    "load",
    "predict",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'clearcnn' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
