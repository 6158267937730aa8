"""`explain`: the layers' outputs for one image, saliency maps and nearest training images."""

import dataclasses
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from clearcnn import bundle, models, report
from clearcnn.errors import BundleError
from clearcnn.language import say
from clearcnn.results.explain import (
    ClassOutput,
    ExplainResult,
    LayerActivation,
)
from clearcnn.specs import require_seed
from clearcnn.workflows.explain.input_image import (
    find_input_image,
    read_run_data_or_reason,
)
from clearcnn.workflows.explain.neighbours import collect_neighbour_images, find_neighbours
from clearcnn.workflows.explain.saliency import make_saliency_maps
from clearcnn.workflows.fitting.phase_timer import PhaseTimer
from clearcnn.workflows.fitting.report_language import find_language
from clearcnn.workflows.fitting.repro_command import format_call
from clearcnn.workflows.runs.load_keras_model import load_keras_model
from clearcnn.workflows.runs.run_data import Source

if TYPE_CHECKING:
    from clearcnn.explanation import Passage

Values = NDArray[np.float32]


def explain(
    run: Path | str,
    image: str | int | Path,
    *,
    data: Source | None = None,
    invert: bool = False,
    seed: int = 777,
    out: Path | str | None = None,
    command: str | None = None,
    language: str | None = None,
) -> ExplainResult:
    """Explain a trained model's prediction for one image: an HTML page, figures and JSON.

    Args:
      run: a run folder; it is not changed.
      image: an image file, or the row of an image in the run's source, as in the column index of
        `predictions.csv`.
      data: the source that the run was trained on, or its images. None takes the run's own source,
        if you trained it on this computer.
      invert: invert the image first.
      seed: of SmoothGrad's noise, and of the untrained weights for the sanity check.
      out: the folder to make; None makes `<run>-explained-<image>` beside the run folder.
      command: the command that reproduces the page; the page shows it.
      language: of the page and its figures: "en" or "ko"; None takes that of the locale.
    Returns:
      ExplainResult; its `folder` has `explanation.html`, `explanation.json` and `figures/`.
    Raises:
      BundleError: the run folder was altered, or `out` cannot be made.
      DataError: the image cannot be found or read, or `data` is not the run's data.
      SpecError: the seed is out of range.
    """
    require_seed(seed)
    spoken = find_language(language)
    clock = PhaseTimer()
    run = Path(run)
    with clock.phase("run folder"):
        opened = bundle.read_bundle(run)
    manifest = opened.manifest
    options = {"image": image, "data": data, "invert": invert or None}
    command = command or format_call("explain", run, options)
    with bundle.open_run_folder("explanation", out=_choose_folder(run, image, out)) as folder:
        with clock.phase("data"):
            run_data = read_run_data_or_reason(manifest, data)
            input_image = find_input_image(image, manifest, run_data, invert=invert)
        with clock.phase("load Keras"):
            from clearcnn import explanation, training

            model = load_keras_model(opened)
        temperature = manifest.confidence.temperature if manifest.confidence else 1.0
        network = explanation.Network(model, temperature, training.rewrite_on_cpu)
        with clock.phase("layers"):
            passage = explanation.follow(network, input_image.pixels)
            logits, features = network.logits_and_features(input_image.pixels[np.newaxis])
            outputs, predicted = _rank_classes(logits[0], network.softmax(logits)[0], manifest)
        with clock.phase("pixels"):
            gradient, occlusion, untrained = make_saliency_maps(
                network, input_image, predicted, manifest, run_data, seed
            )
        with clock.phase("neighbours"):
            neighbours = find_neighbours(network, features[0], input_image, opened, run_data)
        result = ExplainResult(
            run_folder=run.resolve(),
            image=input_image.record,
            answers=outputs,
            layers=_measure_layers(passage, manifest),
            gradient=gradient,
            occlusion=occlusion,
            convolution=explanation.convolve_once(model.layers, passage),
            pooling=explanation.pool_once(model.layers, passage),
            neighbours=neighbours,
            warnings=(*input_image.warnings, *([run_data] if isinstance(run_data, str) else [])),
            seconds=clock.seconds,
            folder=folder.path,
            temperature=temperature,
        )
        images = report.ExplanationImages(
            image=input_image.pixels,
            value_range=manifest.input.value_range,
            inputs=passage.inputs,
            outputs=passage.outputs,
            filters=tuple(explanation.read_filters(layer) for layer in model.layers),
            untrained=untrained,
            neighbours=collect_neighbour_images(neighbours, run_data),
        )
        versions = {"clearcnn": manifest.clearcnn, **manifest.versions}
        report.write_explanation(folder.partial, result, images, command, versions, spoken)
    return dataclasses.replace(result, folder=folder.path)


def _choose_folder(run: Path, image: str | int | Path, out: Path | str | None) -> Path:
    if out is None:
        name = f"{run.resolve().name}-explained-{bundle.shorten_name(Path(str(image)).stem)}"
        folders = (
            run.resolve().with_name(name if number == 1 else f"{name}-{number}")
            for number in count(1)
        )
        return next(folder for folder in folders if not folder.exists())
    if Path(out).resolve().is_relative_to(run.resolve()):
        raise BundleError(
            say("{out} is inside the run folder {run}, which must not change.", out=out, run=run),
            remedy=say("Give another path with --out, or omit it."),
        )
    return Path(out)


def _rank_classes(
    logits: Values, probabilities: Values, manifest: bundle.Manifest
) -> tuple[tuple[ClassOutput, ...], int]:
    """Return every class, the most probable first, and that one's index."""
    order = np.argsort(-probabilities, kind="stable")
    return tuple(
        ClassOutput(manifest.class_names[k], float(logits[k]), float(probabilities[k]))
        for k in order
    ), int(order[0])


def _measure_layers(passage: "Passage", manifest: bundle.Manifest) -> tuple[LayerActivation, ...]:
    rows = models.summarize_model(manifest.model, manifest.input.shape).layers
    return tuple(
        LayerActivation(
            position=position,
            summary=row,
            low=float(values.min()),
            high=float(values.max()),
            zero_fraction=float(np.mean(values == 0)),
            strongest=int(values.reshape(-1, values.shape[-1]).max(axis=0).argmax()),
        )
        for position, (row, values) in enumerate(zip(rows, passage.outputs, strict=True), start=1)
    )
