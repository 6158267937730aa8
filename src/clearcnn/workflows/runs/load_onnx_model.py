"""From a run folder to a network that answers, without Keras."""

from dataclasses import dataclass
from pathlib import Path

from clearcnn.bundle import Manifest, read_bundle
from clearcnn.errors import BundleError
from clearcnn.prediction import BATCH_SIZE, Predictor
from clearcnn.workflows.runs.read_onnx import read_onnx_file
from clearcnn.workflows.runs.save_onnx import MODEL

_VALUES_AT_ONCE = 2**24
"""Of the largest tensor, in all images of a batch: 64 MiB."""


@dataclass(frozen=True, eq=False)
class OpenModel:
    """A model that answers, and what its run folder says of it.

    Attributes:
      predictor: its probabilities are calibrated, if the run could fit a temperature.
      manifest: of the run.
    """

    predictor: Predictor
    manifest: Manifest


def open_model(run: Path | str) -> OpenModel:
    """Open the ONNX model of a run folder.

    Of its files only the model is read, and only if it is the graph that clearcnn writes for the
    manifest's layers.

    Args:
      run: a run folder.
    Returns:
      OpenModel.
    Raises:
      BundleError: it is no run folder, its model is missing or altered, or it has none.
      LayerError, SpecError: its layers cannot be.
      ExportError: the model is not as clearcnn writes it.
      PredictionError: ONNX Runtime cannot execute it.
    """
    opened = read_bundle(run, only=())
    manifest = opened.manifest
    if MODEL not in manifest.files:
        raise BundleError(
            f"{run} holds no {MODEL}, which answers are made with; the warnings in its report say "
            "why.",
            remedy="Train again, with layers that can be written as ONNX.",
        )
    kept = read_onnx_file(opened, MODEL)
    temperature = manifest.confidence.temperature if manifest.confidence else 1.0
    predictor = Predictor(
        kept.content,
        len(manifest.class_names),
        temperature=temperature,
        batch_size=max(1, min(BATCH_SIZE, _VALUES_AT_ONCE // kept.most_values)),
    )
    return OpenModel(predictor, manifest)
