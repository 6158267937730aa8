"""From a run folder to a network that answers, without Keras."""

from dataclasses import dataclass
from pathlib import Path

from clearcnn import models
from clearcnn.bundle import Manifest, read_bundle
from clearcnn.errors import BundleError
from clearcnn.prediction import BATCH_SIZE, Predictor
from clearcnn.results import to_json
from clearcnn.workflows.onnx_files import MODEL

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

    Only the model is checked against its hash, and only its own content is executed: operators
    that clearcnn writes, on tensors of a bounded size, with no file beside it.

    Args:
      run: a run folder.
    Returns:
      OpenModel.
    Raises:
      BundleError: it is no run folder, its model is missing or altered, or it has none.
      ExportError: the model is not as clearcnn writes it.
      PredictionError: ONNX Runtime cannot execute it.
    """
    from clearcnn.export import check_onnx

    opened = read_bundle(run, only=(MODEL,))
    manifest = opened.manifest
    if MODEL not in manifest.files:
        raise BundleError(
            f"{run} holds no {MODEL}, which answers are made with; the warnings in its report say "
            "why.",
            remedy="Train again, with layers that can be written as ONNX.",
        )
    shape, num_classes = manifest.input.shape, len(manifest.class_names)
    parameters = models.check_output(manifest.model, shape, num_classes).parameters
    content = opened.path(MODEL).read_bytes()
    largest = check_onnx(opened.path(MODEL), to_json(manifest.input), parameters)
    temperature = manifest.confidence.temperature if manifest.confidence else 1.0
    batch_size = max(1, min(BATCH_SIZE, _VALUES_AT_ONCE // largest))
    predictor = Predictor(content, num_classes, temperature=temperature, batch_size=batch_size)
    return OpenModel(predictor, manifest)
