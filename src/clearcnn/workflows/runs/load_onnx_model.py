"""Load a run's ONNX model, without Keras."""

from dataclasses import dataclass
from pathlib import Path

from clearcnn.bundle import Manifest, read_bundle
from clearcnn.errors import BundleError
from clearcnn.language import say
from clearcnn.prediction import BATCH_SIZE, Predictor
from clearcnn.workflows.runs.read_onnx import read_onnx_file
from clearcnn.workflows.runs.save_onnx import MODEL

_VALUES_AT_ONCE = 2**24
"""Most float32 values of the largest tensor in one batch: 64 MiB."""


@dataclass(frozen=True, eq=False)
class OpenModel:
    """An ONNX model ready to predict, and the manifest of its run.

    Attributes:
      predictor: gives calibrated probabilities if the run has a temperature.
      manifest: of the run.
    """

    predictor: Predictor
    manifest: Manifest


def open_model(run: Path | str) -> OpenModel:
    """Open the ONNX model of a run folder.

    Only the model file is read, and it must be the graph that clearcnn writes for the manifest's
    layers.

    Args:
      run: a run folder.
    Returns:
      OpenModel.
    Raises:
      BundleError: it is not a run folder, or its model is missing or altered.
      LayerError, SpecError: its layers are invalid.
      ExportError: the model is not the graph that clearcnn writes.
      PredictionError: ONNX Runtime cannot execute it.
    """
    opened = read_bundle(run, only=())
    manifest = opened.manifest
    if MODEL not in manifest.files:
        raise BundleError(
            say(
                "{run} has no {model}, which predictions need; the warnings in its report say why.",
                run=run,
                model=MODEL,
            ),
            remedy=say("Train again with layers that can be exported to ONNX."),
        )
    file = read_onnx_file(opened, MODEL)
    temperature = manifest.confidence.temperature if manifest.confidence else 1.0
    predictor = Predictor(
        file.content,
        len(manifest.class_names),
        temperature=temperature,
        batch_size=max(1, min(BATCH_SIZE, _VALUES_AT_ONCE // file.most_values)),
    )
    return OpenModel(predictor, manifest)
