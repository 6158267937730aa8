"""The data of a run for the page: its network, its weights and test images."""

import base64
import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcnn import models
from clearcnn.bundle import Bundle, RunMetrics, read_bundle, read_metrics
from clearcnn.contract import InputContract
from clearcnn.errors import DataError, SpecError
from clearcnn.language import say
from clearcnn.results.json_codec import to_json
from clearcnn.specs import DataSpec, ModelSpec
from clearcnn.types import JsonObject, Pixels
from clearcnn.workflows.runs.read_onnx import read_onnx_file
from clearcnn.workflows.runs.run_data import read_run_data
from clearcnn.workflows.runs.save_onnx import MODEL_WITH_LAYERS

_IMAGES_PER_CLASS = 8
_MOST_IMAGES = 120


def describe_network(spec: ModelSpec, shape: tuple[int, int, int]) -> JsonObject:
    """Describe a model layer by layer, with all arguments, as JSON values.

    Args:
      spec: the model.
      shape: (height, width, channels) of one image.
    Raises:
      LayerError, SpecError: the model is invalid.
    """
    summary = models.summarize_model(spec, shape)
    input_shapes = [shape, *(row.output_shape for row in summary.layers)]
    names = models.name_layers(spec.layers)
    layers = [
        {
            **to_json(row),
            "title": row.name,
            "name": name,
            "arguments": to_json(models.complete_layer(layer, position)),
            "given": to_json(dict(layer.arguments)),
            "input_shape": list(input_shape),
        }
        for position, (row, name, layer, input_shape) in enumerate(
            zip(summary.layers, names, spec.layers, input_shapes[:-1], strict=True), start=1
        )
    ]
    return {**to_json(summary), "layers": layers}


def describe_run(run: Bundle) -> JsonObject:
    """Describe a run for the page, as JSON values: its contract, network, score and pace.

    Raises:
      BundleError: its metrics.json is invalid.
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
        "is_drawing": _is_drawing(manifest.input),
        "pace": _find_pace(metrics),
    }


def _is_drawing(contract: InputContract) -> bool:
    """Return whether the images are like drawings: grey, on a plain light or dark background."""
    return contract.color_mode == "grayscale" and contract.polarity != "unknown"


def _find_pace(metrics: RunMetrics) -> JsonObject | None:
    """Return how long the run's own training took, by which the page estimates others.

    Returns:
      "seconds" of all "epochs" over "train" images each, and "compile_seconds"; None if the run
      does not say.
    """
    fit_seconds, epochs = metrics.seconds.get("fit", 0.0), metrics.history.num_epochs
    if metrics.data is None or fit_seconds <= 0 or not epochs:
        return None
    return {
        "seconds": fit_seconds,
        "epochs": epochs,
        "train": metrics.data.train,
        "compile_seconds": metrics.seconds.get("compile", 0.0),
    }


def pack_arrays(arrays: Mapping[str, NDArray[np.float32]]) -> bytes:
    """Pack float32 arrays for the browser.

    Returns:
      The header's length, uint32; the header, JSON {name: {"shape", "start"}} with start counted in
      values, padded with spaces to a multiple of four bytes; the values, float32. Little-endian.
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
    """Pack the weights of `model_layers.onnx` with `pack_arrays`.

    Raises:
      BundleError, ExportError: the file is invalid.
    """
    return pack_arrays(read_onnx_file(run, MODEL_WITH_LAYERS).weights)


def check_run_data(runs: Sequence[Path | str], named: DataSpec) -> None:
    """Check that the source that the user named has the images of the only run.

    Raises:
      SpecError: there are several runs.
      ClearCNNError: it is not a run folder, or the source has other images.
    """
    if len(runs) != 1:
        raise SpecError(
            say(
                "--data gives the images of one run, and {num_runs} runs are served.",
                num_runs=len(runs),
            ),
            remedy=say("Serve one run, or omit --data."),
        )
    read_run_data(read_bundle(runs[0], only=()).manifest, named)


def choose_test_images(run: Bundle, named: DataSpec | None = None) -> JsonObject:
    """Choose test images to try the model on, the same each time.

    Args:
      run: the run.
      named: as for `read_run_data`.
    Returns:
      JSON values: "images", each with row, label, name and pixels (base64 of the contract's dtype,
      little-endian, in C order); and "why", the reason in a sentence if there are none.
    """
    try:
        run_data = read_run_data(run.manifest, named)
    except DataError as error:
        # Without the remedy: it may reveal what is at the source, and anyone may open the page.
        return {"images": [], "why": error.problem}
    images, rows = run_data.images, run_data.splits.test
    labels = images.labels[rows]
    by_class = [rows[labels == k][:_IMAGES_PER_CLASS] for k in range(len(images.class_names))]
    # Interleave the classes, so that the first images show all of them.
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


def _encode(pixels: Pixels) -> str:
    little = pixels.astype(pixels.dtype.newbyteorder("<"), copy=False)
    return base64.b64encode(np.ascontiguousarray(little).tobytes()).decode()
