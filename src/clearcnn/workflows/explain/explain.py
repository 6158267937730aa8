"""`explain`: what each layer does to one image, and which pixels decided."""

import dataclasses
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from clearcnn import bundle, models, report
from clearcnn.errors import BundleError
from clearcnn.results.explain import (
    ClassOutput,
    ExplainResult,
    LayerActivation,
)
from clearcnn.specs import require_seed
from clearcnn.workflows.explain.input_image import (
    InputImage,
    find_input_image,
    read_run_data_or_reason,
)
from clearcnn.workflows.explain.neighbours import collect_neighbour_images, find_neighbours
from clearcnn.workflows.explain.saliency import make_saliency_maps
from clearcnn.workflows.fitting.phase_timer import PhaseTimer
from clearcnn.workflows.fitting.repro_command import format_call
from clearcnn.workflows.runs.load_keras_model import load_keras_model
from clearcnn.workflows.runs.run_data import Source

if TYPE_CHECKING:
    from clearcnn.explanation import Network, Passage


def explain(
    run: Path | str,
    image: str | int | Path,
    *,
    data: Source | None = None,
    invert: bool = False,
    seed: int = 777,
    out: Path | str | None = None,
    command: str | None = None,
) -> ExplainResult:
    """Show how a trained model came to its answer on one image: a page, pictures and JSON.

    Args:
      run: a run folder as `train` made it; nothing in it is changed.
      image: a picture file, or the row of an image among those of the run's source, as
        `predictions.csv` has it in its column index.
      data: where the images are that the run was trained on, or these images themselves. None
        takes the place that the run names, if you trained it on this computer.
      invert: exchange light and dark first.
      seed: of the noise of SmoothGrad and of the untrained weights it is checked against.
      out: the folder to make; None makes `<run>-explained-<image>` beside the run folder.
      command: what to type for the same page; the page shows it.
    Returns:
      ExplainResult; its `folder` is whole and holds `explanation.html`, `explanation.json` and
      `figures/`.
    Raises:
      BundleError: the run folder is not as it was written, or `out` cannot be.
      DataError: the image cannot be found or read, or `data` is not what the run was trained on.
      SpecError: the seed is out of its range.
    """
    require_seed(seed)
    clock = PhaseTimer()
    run = Path(run)
    with clock.phase("run folder"):
        opened = bundle.read_bundle(run)
    manifest = opened.manifest
    asked = {"image": image, "data": data, "invert": invert or None}
    command = command or format_call("explain", run, asked)
    with bundle.open_run_folder("explanation", out=_choose_folder(run, image, out)) as folder:
        with clock.phase("data"):
            run_data = read_run_data_or_reason(manifest, data)
            input_image = find_input_image(image, manifest, run_data, invert=invert)
        with clock.phase("load Keras"):
            from clearcnn import explanation

            model = load_keras_model(opened)
        network = explanation.Network(model)
        with clock.phase("layers"):
            passage = explanation.follow(model, input_image.pixels)
            answers, predicted = _answer(network, input_image, manifest)
        with clock.phase("pixels"):
            gradient, occlusion, untrained = make_saliency_maps(
                network, input_image, predicted, manifest, run_data, seed
            )
        with clock.phase("neighbours"):
            neighbours = find_neighbours(network, input_image, run_data)
        result = ExplainResult(
            run_folder=run.resolve(),
            image=input_image.record,
            answers=answers,
            layers=_measure_layers(passage, manifest),
            gradient=gradient,
            occlusion=occlusion,
            convolution=explanation.convolve_once(model.layers, passage),
            pooling=explanation.pool_once(model.layers, passage),
            neighbours=neighbours,
            warnings=(*input_image.warnings, *([run_data] if isinstance(run_data, str) else [])),
            seconds=clock.seconds,
            folder=folder.path,
        )
        pictures = report.ExplanationImages(
            image=input_image.pixels,
            value_range=manifest.input.value_range,
            inputs=passage.inputs,
            outputs=passage.outputs,
            filters=tuple(explanation.read_filters(layer) for layer in model.layers),
            untrained=untrained,
            neighbours=collect_neighbour_images(neighbours, run_data),
        )
        versions = {"clearcnn": manifest.clearcnn, **manifest.versions}
        report.write_explanation(folder.partial, result, pictures, command, versions)
    return dataclasses.replace(result, folder=folder.path)


def _choose_folder(run: Path, image: str | int | Path, out: Path | str | None) -> Path:
    if out is None:
        name = f"{run.resolve().name}-explained-{bundle.shorten_name(Path(str(image)).stem)}"
        places = (
            run.resolve().with_name(name if number == 1 else f"{name}-{number}")
            for number in count(1)
        )
        return next(place for place in places if not place.exists())
    if Path(out).resolve().is_relative_to(run.resolve()):
        raise BundleError(
            f"{out} lies in the run folder {run}, which stays as it was written.",
            remedy="Give --out another place, or leave it out.",
        )
    return Path(out)


def _answer(
    network: "Network", input_image: InputImage, manifest: bundle.Manifest
) -> tuple[tuple[ClassOutput, ...], int]:
    """Give every class, the most probable first, and the index of that one."""
    logits = network.logits(input_image.pixels[np.newaxis])[0]
    chances = network.probabilities(input_image.pixels[np.newaxis])[0]
    order = np.argsort(-chances, kind="stable")
    return tuple(
        ClassOutput(manifest.class_names[k], float(logits[k]), float(chances[k])) for k in order
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
