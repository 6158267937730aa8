"""What the page shows of a run: its network, its weights and images to try it on."""

import base64
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clearcnn import models
from clearcnn.bundle import Bundle, read_bundle, read_metrics
from clearcnn.errors import DataError, SpecError
from clearcnn.results.json_codec import to_json
from clearcnn.specs import DataSpec, ModelSpec
from clearcnn.workflows.runs.read_onnx import read_onnx_file
from clearcnn.workflows.runs.run_data import read_run_data
from clearcnn.workflows.runs.save_onnx import MODEL_WITH_LAYERS

_IMAGES_PER_CLASS = 8
_MOST_IMAGES = 120


def describe_network(spec: ModelSpec, shape: tuple[int, int, int]) -> dict[str, Any]:
    """Describe a model, layer by layer, with every argument filled in, as JSON values.

    Args:
      spec: the model.
      shape: (height, width, channels) of one image.
    Raises:
      LayerError, SpecError: the model cannot be.
    """
    summary = models.summarize_model(spec, shape)
    before = [shape, *(row.output_shape for row in summary.layers)]
    names = models.name_layers(spec.layers)
    described: dict[str, Any] = to_json(summary)
    for position, layer in enumerate(spec.layers):
        described["layers"][position] |= {
            "title": described["layers"][position]["name"],
            "name": names[position],
            "arguments": to_json(models.complete_layer(layer, position + 1)),
            "given": to_json(dict(layer.arguments)),
            "input_shape": list(before[position]),
        }
    return described


def describe_run(run: Bundle) -> dict[str, Any]:
    """Describe a run for the page, as JSON values: its contract, network and score.

    Raises:
      BundleError: its metrics.json is not as clearcnn writes it.
    """
    manifest, metrics = run.manifest, read_metrics(run)
    return {
        "source": manifest.source,
        "class_names": list(manifest.class_names),
        "input": to_json(manifest.input),
        "network": describe_network(manifest.model, manifest.input.shape),
        "epochs": metrics.history.num_epochs,
        "temperature": manifest.confidence.temperature if manifest.confidence else 1.0,
        "augmented": manifest.train.augmentation is not None,
        "test": to_json(metrics.test.score),
    }


def pack_arrays(arrays: dict[str, Any]) -> bytes:
    """Pack float32 arrays for a browser: a header's length, the header, then the values.

    Returns:
      Four bytes little-endian; so many bytes of JSON, {name: {"shape", "start"}}, counted in
      values; zeros up to a multiple of four bytes; float32 little-endian.
    """
    header, start = {}, 0
    for name, array in arrays.items():
        header[name] = {"shape": list(array.shape), "start": start}
        start += array.size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)
    values = (np.ascontiguousarray(array, "<f4").tobytes() for array in arrays.values())
    return struct.pack("<I", len(text)) + text + b"".join(values)


def pack_weights(run: Bundle) -> bytes:
    """Pack every weight of the file that gives each layer's output, as `pack_arrays` does.

    Raises:
      BundleError, ExportError: it is not as clearcnn writes it.
    """
    return pack_arrays(read_onnx_file(run, MODEL_WITH_LAYERS).weights)


def check_run_data(runs: Sequence[Path | str], named: DataSpec) -> None:
    """Make sure that what the user names are the images that the one run was trained on.

    Raises:
      SpecError: there are several runs.
      ClearCNNError: it is no run folder, or these are not its images.
    """
    if len(runs) != 1:
        raise SpecError(
            f"--data names the images of one run, and {len(runs)} runs were given.",
            remedy="Serve the run alone, or leave --data out.",
        )
    read_run_data(read_bundle(runs[0], only=()).manifest, named)


def choose_test_images(run: Bundle, named: DataSpec | None = None) -> dict[str, Any]:
    """Choose images of the test part to try the model on, the same every time.

    Args:
      run: the run.
      named: as for `read_run_data`.
    Returns:
      JSON values: "images", each with row, label, name and pixels (base64 of the contract's
      dtype, little-endian, rows first); and "why", a sentence if there are none.
    """
    try:
        run_data = read_run_data(run.manifest, named)
    except DataError as error:
        # The remedy may name what lies in the source, and is not for all who may ask.
        return {"images": [], "why": error.problem}
    images, rows = run_data.images, run_data.splits.test
    labels = images.labels[rows]
    by_class = [rows[labels == k][:_IMAGES_PER_CLASS] for k in range(len(images.class_names))]
    # One of each class in turn, so that the first ones show them all.
    turns = [
        each[turn] for turn in range(_IMAGES_PER_CLASS) for each in by_class if turn < len(each)
    ]
    return {
        "images": [
            {
                "row": int(row),
                "label": int(images.labels[row]),
                "name": images.names[row],
                "pixels": _encode(images.images[row]),
            }
            for row in turns[:_MOST_IMAGES]
        ],
        "why": None,
    }


def _encode(pixels: Any) -> str:
    little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
    return base64.b64encode(np.ascontiguousarray(little).tobytes()).decode()
