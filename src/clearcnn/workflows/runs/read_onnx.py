"""Read the ONNX files of a run folder: the graph must be that of the manifest's layers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clearcnn import models
from clearcnn.bundle import Bundle
from clearcnn.workflows.runs.save_onnx import MODEL_WITH_LAYERS


@dataclass(frozen=True, eq=False)
class OnnxFile:
    """An ONNX file with the graph that clearcnn writes for the manifest's layers.

    Attributes:
      content: the bytes of the file.
      weights: float32 arrays by "layer/name", as from `export.read_onnx`.
      most_values: size of its largest tensor for one image.
    """

    content: bytes
    weights: dict[str, NDArray[np.float32]]
    most_values: int


def read_onnx_file(run: Bundle, name: str) -> OnnxFile:
    """Read an ONNX file of a run folder.

    Args:
      run: an opened run folder.
      name: "model.onnx" or "model_layers.onnx".
    Raises:
      BundleError: it is missing, altered or too large.
      LayerError, SpecError: the manifest's layers are invalid.
      ExportError: its graph is not that of the manifest's layers.
    """
    from clearcnn import export

    manifest = run.manifest
    plans = models.plan_layers(manifest.model, manifest.input.shape, len(manifest.class_names))
    network = export.Network(
        manifest.model.name,
        tuple(
            export.Layer(
                plan.kind,
                plan.name,
                plan.arguments,
                plan.input_shape,
                plan.output_shape,
                {each: export.make_placeholder(shape) for each, shape in plan.weights.items()},
            )
            for plan in plans
        ),
    )
    content = run.read(name, export.limit_bytes(network))
    weights = export.read_onnx(
        content,
        network,
        manifest.class_names,
        manifest.input,
        where=run.folder / name,
        version=manifest.clearcnn,
        layer_outputs=name == MODEL_WITH_LAYERS,
    )
    return OnnxFile(content, weights, network.most_values)
