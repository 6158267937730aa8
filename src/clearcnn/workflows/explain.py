"""`explain`: what each layer does to one image, and which pixels decided."""

import dataclasses
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from clearcnn import bundle, models, report
from clearcnn.backend import load_keras
from clearcnn.errors import BundleError
from clearcnn.explanations import (
    ClassAnswer,
    ExplainResult,
    GradientMap,
    Grid,
    LayerActivation,
    Neighbour,
    Neighbours,
    OcclusionMap,
)
from clearcnn.workflows.clock import Clock
from clearcnn.workflows.plan import measure_pixels
from clearcnn.workflows.subject import Lesson, Subject, find_subject, read_lesson
from clearcnn.workflows.wording import say_call

if TYPE_CHECKING:
    from clearcnn.explanation import Network, Passage

_NOISE_FRACTION = 0.15
_NUM_SAMPLES = 50
_NUM_UNTRAINED = 5
_MOST_NEIGHBOURS = 8


def explain(
    run: Path | str,
    image: str | int | Path,
    *,
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
      invert: exchange light and dark first.
      seed: of the noise of SmoothGrad and of the untrained weights it is checked against.
      out: the folder to make; None makes `<run>-explained-<image>` beside the run folder.
      command: what to type for the same page; the page shows it.
    Returns:
      ExplainResult; its `folder` is whole and holds `explanation.html`, `explanation.json` and
      `figures/`.
    Raises:
      BundleError: the run folder is not as it was written, or `out` cannot be.
      DataError: the image cannot be found or read.
    """
    clock = Clock()
    run = Path(run)
    with clock.phase("run folder"):
        opened = bundle.read_bundle(run)
    manifest = opened.manifest
    command = command or say_call("explain", run, {"image": image, "invert": invert or None})
    with bundle.open_run_folder("explanation", out=_choose_folder(run, image, out)) as folder:
        with clock.phase("data"):
            lesson = read_lesson(manifest)
            subject = find_subject(image, manifest, lesson, invert=invert)
        with clock.phase("load Keras"):
            from clearcnn import explanation

            model = load_model(opened)
        network = explanation.Network(model)
        with clock.phase("layers"):
            passage = explanation.follow(model, subject.pixels)
            answers, predicted = _answer(network, subject, manifest)
        with clock.phase("pixels"):
            gradient, occlusion, untrained = _map_pixels(
                network, subject, predicted, manifest, lesson, seed
            )
        with clock.phase("neighbours"):
            neighbours = _find_neighbours(network, subject, lesson)
        result = ExplainResult(
            run_folder=run.resolve(),
            image=subject.facts,
            answers=answers,
            layers=_measure_layers(passage, manifest),
            gradient=gradient,
            occlusion=occlusion,
            convolution=explanation.convolve_once(model.layers, passage),
            pooling=explanation.pool_once(model.layers, passage),
            neighbours=neighbours,
            warnings=(*subject.warnings, *([lesson] if isinstance(lesson, str) else [])),
            seconds=clock.seconds,
            folder=folder.path,
        )
        pictures = report.ExplanationPictures(
            image=subject.pixels,
            value_range=manifest.input.value_range,
            inputs=passage.inputs,
            outputs=passage.outputs,
            filters=tuple(explanation.read_filters(layer) for layer in model.layers),
            untrained=untrained,
            neighbours={} if isinstance(lesson, str) else _pictures_of(neighbours, lesson),
        )
        versions = {"clearcnn": manifest.clearcnn, **manifest.versions}
        report.write_explanation(folder.partial, result, pictures, command, versions)
    return dataclasses.replace(result, folder=folder.path)


def load_model(opened: bundle.Bundle) -> Any:
    """Load the Keras model of a run folder.

    Raises:
      BundleError: Keras cannot read it.
    """
    try:
        return load_keras().saving.load_model(opened.path("model.keras"), compile=False)
    except (ValueError, TypeError, OSError) as error:
        raise BundleError(
            f"Keras cannot read the model of {opened.folder}: {str(error).splitlines()[0]}",
            remedy="Use the version of Keras that bundle.json names, or train again.",
        ) from error


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
    network: "Network", subject: Subject, manifest: bundle.Manifest
) -> tuple[tuple[ClassAnswer, ...], int]:
    """Give every class, the most probable first, and the index of that one."""
    logits = network.logits(subject.pixels[np.newaxis])[0]
    chances = network.probabilities(subject.pixels[np.newaxis])[0]
    order = np.argsort(-chances, kind="stable")
    return tuple(
        ClassAnswer(manifest.class_names[k], float(logits[k]), float(chances[k])) for k in order
    ), int(order[0])


def _measure_layers(
    passage: "Passage", manifest: bundle.Manifest
) -> tuple[LayerActivation, ...]:
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


def _map_pixels(
    network: "Network",
    subject: Subject,
    predicted: int,
    manifest: bundle.Manifest,
    lesson: Lesson | str,
    seed: int,
) -> tuple[GradientMap, OcclusionMap, report.UntrainedMaps]:
    """Make both maps of the trained model and of models with random weights."""
    from clearcnn import explanation

    pixels, name = subject.pixels, manifest.class_names[predicted]
    noise = _NOISE_FRACTION * float(np.ptp(pixels.astype(np.float64)))
    patch = explanation.choose_patch(*pixels.shape[:2])
    fill, fill_source = _choose_fill(subject, lesson)
    # Drawn from the seed, and never the first weights of the run itself.
    seeds = np.random.SeedSequence(seed, spawn_key=(1,)).generate_state(_NUM_UNTRAINED) >> 1
    shape, num_classes = manifest.input.shape, len(manifest.class_names)

    def differentiate(weights: Any = None) -> Any:
        return explanation.smooth_gradient(
            network,
            pixels,
            predicted,
            noise=noise,
            num_samples=_NUM_SAMPLES,
            seed=seed,
            weights=weights,
        )

    def cover(weights: Any = None) -> Any:
        return explanation.occlude(network, pixels, predicted, patch, fill, weights=weights)

    gradient, (drops, largest) = differentiate(), cover()
    gradients, occlusions = [], []
    for other in seeds:
        model = models.build_model(manifest.model, shape, num_classes, int(other))
        weights = [variable.value for variable in model.weights]
        gradients.append(differentiate(weights))
        occlusions.append(cover(weights)[0])
    numbers = [int(other) for other in seeds]
    return (
        GradientMap(
            class_name=name,
            values=_grid(gradient),
            num_samples=_NUM_SAMPLES,
            noise=noise,
            seed=seed,
            sanity=explanation.correlate(gradient, gradients, numbers),
        ),
        OcclusionMap(
            class_name=name,
            values=_grid(drops),
            patch=patch.size,
            stride=patch.stride,
            fill=fill,
            fill_source=fill_source,
            largest_drop=largest,
            sanity=explanation.correlate(drops, occlusions, numbers),
        ),
        report.UntrainedMaps(tuple(gradients), tuple(occlusions)),
    )


def _choose_fill(subject: Subject, lesson: Lesson | str) -> tuple[tuple[float, ...], str]:
    """Choose what covers: the ground of the training images, their mean, or this one's edge."""
    channels = subject.pixels.shape[-1]
    if isinstance(lesson, str):
        pixels = subject.pixels
        edge = [pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]]
        medians = np.median(np.concatenate(edge), axis=0)
        return tuple(map(float, medians)), "the median along the edge of this picture"
    images = lesson.images.images[lesson.parts.train]
    ground = measure_pixels(images).ground
    if ground is not None:
        return (ground,) * channels, "the ground of the training images"
    means = images.mean(axis=(0, 1, 2), dtype=np.float64)
    return tuple(map(float, means)), "the mean of the training images"


def _find_neighbours(
    network: "Network", subject: Subject, lesson: Lesson | str
) -> Neighbours | None:
    from clearcnn import explanation

    if isinstance(lesson, str):
        return None
    images, parts = lesson.images, lesson.parts
    own = network.features(subject.pixels[np.newaxis])[0]
    guesses = network.logits(images.images[parts.test]).argmax(axis=1)
    wrong = guesses != images.labels[parts.test]
    predicted = dict(zip(parts.test.tolist(), guesses.tolist(), strict=True))

    def near(rows: Any, *, asked: bool) -> tuple[Neighbour, ...]:
        rows = rows[rows != (-1 if subject.facts.row is None else subject.facts.row)]
        if not len(rows):
            return ()
        features = network.features(images.images[rows])
        found, distances = explanation.nearest(own, features, _MOST_NEIGHBOURS)
        return tuple(
            Neighbour(
                row=int(row),
                name=images.names[row],
                label=images.class_names[images.labels[row]],
                prediction=images.class_names[predicted[row]] if asked else None,
                distance=float(distance),
            )
            for row, distance in zip(rows[found].tolist(), distances, strict=True)
        )

    return Neighbours(
        num_features=len(own),
        num_train=len(parts.train),
        num_mistakes=int(wrong.sum()),
        train=near(parts.train, asked=False),
        mistakes=near(parts.test[wrong], asked=True),
    )


def _pictures_of(neighbours: Neighbours | None, lesson: Lesson) -> Mapping[int, Any]:
    if neighbours is None:
        return {}
    shown = (*neighbours.train, *neighbours.mistakes)
    return {each.row: lesson.images.images[each.row] for each in shown}


def _grid(values: Any) -> Grid:
    return tuple(tuple(map(float, row)) for row in values)
