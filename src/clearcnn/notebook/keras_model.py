"""The Keras model of a result."""

from pathlib import Path
from typing import TYPE_CHECKING

from clearcnn import bundle
from clearcnn.workflows.runs.load_keras_model import load_keras_model

if TYPE_CHECKING:
    import keras


def load_model(run_folder: Path) -> "keras.Sequential":
    """Load the trained Keras model of a run folder."""
    return load_keras_model(bundle.read_bundle(run_folder))
