"""Score a finished run: on its own test set, or on new images that match its contract."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clearcnn import bundle, data, evaluation
from clearcnn.contract import InputContract
from clearcnn.data import LabelledImages
from clearcnn.errors import DataError
from clearcnn.language import Language, say, say_count
from clearcnn.results.evaluate import Assessment, FoldScore, ModelScore, Protocol, Robustness
from clearcnn.results.scores import Evaluation, Score
from clearcnn.specs import DataSpec
from clearcnn.temperature import apply_temperature
from clearcnn.types import Pixels
from clearcnn.workflows.evaluate.cross_validate import measure_distorted
from clearcnn.workflows.evaluate.protocol import UNDISTORTED, describe_reliability
from clearcnn.workflows.evaluate.save_evaluation import open_evaluation_folder
from clearcnn.workflows.fitting.fit_plan import score_predictions, show_mistakes
from clearcnn.workflows.fitting.phase_timer import PhaseTimer
from clearcnn.workflows.fitting.trainer import predict_probabilities
from clearcnn.workflows.runs.load_keras_model import load_keras_model
from clearcnn.workflows.runs.run_data import Source, read_run_data


def is_run_folder(path: str | Path) -> bool:
    """Whether this is the path of a run folder."""
    return (Path(path) / bundle.MANIFEST_NAME).is_file()


def evaluate_run(
    folder: Path,
    new: Source | None,
    *,
    run_data: Source | None,
    seed: int,
    out: Path | None,
    command: str,
    language: Language,
) -> Assessment:
    """Score the model of a run folder.

    Args:
      folder: a run folder.
      new: labelled images; None takes the run's own test set, which must be unchanged.
      run_data: the source of the run's own images, as for `read_run_data`.
      seed: of the simulated floor of the calibration error.
      out: the folder to make; None makes one under `evaluations/`.
      command: the command that gives the same result.
      language: of the report.
    Returns:
      Assessment of one protocol, "test".
    Raises:
      ClearCNNError: the run folder is damaged, its source is missing or changed, or the new images
        do not match its contract.
    """
    run = bundle.read_bundle(folder)
    clock = PhaseTimer()
    with open_evaluation_folder(folder.resolve().name, out, command, language) as opened:
        with clock.phase("data"):
            images, rows, sentence = (
                _read_own(run, run_data) if new is None else _read_new(run, new)
            )
        with clock.phase("load Keras"):
            network = load_keras_model(run)

        def predict(pixels: Pixels) -> NDArray[np.float32]:
            return predict_probabilities(network, pixels)

        with clock.phase("score"):
            probabilities = predict(images.images[rows])
            confidence = run.manifest.confidence
            scaled = None
            if confidence is not None:
                scaled = apply_temperature(probabilities, confidence.temperature)
            result = _assess(
                run, images, rows, sentence, probabilities, scaled, predict, seed, clock
            )
        opened.write(result, images, rows, probabilities if scaled is None else scaled)
    pictures = show_mistakes(result.evaluation, images)
    return dataclasses.replace(result, folder=opened.path, pictures=pictures)


def _assess(
    run: bundle.Bundle,
    images: LabelledImages,
    rows: NDArray[np.intp],
    sentence: str,
    probabilities: NDArray[np.float32],
    scaled: NDArray[np.floating] | None,
    predict: Callable[[Pixels], NDArray[np.float32]],
    seed: int,
    clock: PhaseTimer,
) -> Assessment:
    labels = images.labels[rows]
    confidence = run.manifest.confidence
    temperature = None if confidence is None else confidence.temperature
    scored = score_predictions(images, rows, probabilities, scaled)
    right = probabilities.argmax(axis=1) == labels
    score = scored.score
    groups = None if images.groups is None else np.unique(images.groups[rows], return_inverse=True)
    if groups is not None and len(groups[0]) > 1:
        totals, correct = np.bincount(groups[1]), np.bincount(groups[1], weights=right)
        score = Score(score.correct, score.total, evaluation.group_interval(correct, totals))
    distorted = measure_distorted(images, rows, lambda pixels: predict(pixels).argmax(axis=1))
    fold = FoldScore("test", run.manifest.train.seed, 0, scored.score.correct, scored.score.total)
    model = ModelScore(run.folder.resolve().name, score, 0.0, (fold,), None, None)
    return Assessment(
        source=images.source,
        num_images=len(rows),
        class_names=images.class_names,
        protocols=(Protocol("test", sentence, (model,)),),
        evaluation=scored,
        reliability=describe_reliability(labels, probabilities, scaled, temperature, seed),
        robustness=tuple(
            Robustness(name, value, None)
            for name, value in ({UNDISTORTED: float(right.mean())} | distorted).items()
        ),
        baseline=None,
        learning_curve=None,
        notes=(*images.preparation, *_report_absent_classes(scored)),
        seconds=clock.seconds,
    )


def _report_absent_classes(scored: Evaluation) -> tuple[str, ...]:
    """Report the classes without an image."""
    absent = [each.name for each in scored.classes if not each.support]
    if not absent:
        return ()
    return (
        say_count(
            "No image of the class {absent} was scored: the score says nothing about it.",
            "No image of the classes {absent} was scored: the score says nothing about them.",
            len(absent),
            absent=data.quote(absent),
        ),
    )


def _read_own(
    run: bundle.Bundle, named: Source | None
) -> tuple[LabelledImages, NDArray[np.intp], str]:
    """Read the run's own test set, if its source is unchanged."""
    own = read_run_data(run.manifest, named)
    images, rows = own.images, own.splits.test
    return (
        images,
        rows,
        say(
            "The {num_rows:,} images of the run's own test set, never trained on.",
            num_rows=len(rows),
        ),
    )


def _in_range_of(images: LabelledImages, contract: InputContract) -> LabelledImages:
    """Take the contract's range if integers of the same dtype lie within it.

    The range of few or dark images may seem to have fewer bits than that of the training images.
    """
    low, high = contract.value_range
    same = str(images.images.dtype) == contract.dtype and images.images.dtype.kind == "u"
    if not same or images.images.min() < low or images.images.max() > high:
        return images
    return dataclasses.replace(images, value_range=contract.value_range)


def _read_new(run: bundle.Bundle, new: Source) -> tuple[LabelledImages, NDArray[np.intp], str]:
    """Read new images, converted to the contract: size, colours, class indices."""
    contract, class_names = run.manifest.input, run.manifest.class_names
    if isinstance(new, LabelledImages):
        images = new
    else:
        spec = new if isinstance(new, DataSpec) else DataSpec(str(new))
        height, width, _ = contract.shape
        images = data.load(
            dataclasses.replace(
                spec,
                size=(height, width),
                color_mode=contract.color_mode,
                class_names=None,
                for_training=False,
            )
        )
    counts = np.bincount(images.labels, minlength=len(images.class_names))
    present = [name for name, count in zip(images.class_names, counts, strict=True) if count]
    unknown = [name for name in present if name not in class_names]
    if unknown:
        raise DataError(
            say(
                "{source} has the class {unknown!r}, which the model does not know; it knows "
                "{class_names}.",
                source=images.source,
                unknown=unknown[0],
                class_names=", ".join(class_names[:10]),
            ),
            remedy=say("Name the classes as the run does, or leave the other images out."),
        )
    images = _in_range_of(images, contract)
    if images.images.shape[1:] != contract.shape or images.value_range != contract.value_range:
        raise DataError(
            say(
                "{source} has images of shape {shape} with values {low:g} to "
                "{high:g}; the model expects {model_shape} with {model_low:g} to "
                "{model_high:g}.",
                source=images.source,
                shape=images.images.shape[1:],
                low=images.value_range[0],
                high=images.value_range[1],
                model_shape=contract.shape,
                model_low=contract.value_range[0],
                model_high=contract.value_range[1],
            ),
            remedy=say("Convert the images to the shape and range that the model was trained on."),
        )
    positions = {name: number for number, name in enumerate(class_names)}
    # -1: classes that the model does not know, but which have no image.
    numbers = np.array([positions.get(name, -1) for name in images.class_names])
    images = dataclasses.replace(images, labels=numbers[images.labels], class_names=class_names)
    return (
        images,
        np.arange(len(images)),
        say_count(
            "{number:,} image of {source}.",
            "{number:,} images of {source}.",
            len(images),
            source=images.source,
        ),
    )
