"""`evaluate`: how good a recipe is on this data, or a finished run, and how sure that is."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clearcnn import evaluation, models
from clearcnn.data import LabelledImages, load
from clearcnn.errors import SpecError
from clearcnn.evaluation import BASELINES
from clearcnn.results.evaluate import Assessment, ModelScore, Protocol
from clearcnn.specs import DataSpec, ModelSpec
from clearcnn.workflows.evaluate.cross_validate import Candidate
from clearcnn.workflows.evaluate.finished_run import evaluate_run, is_run_folder
from clearcnn.workflows.evaluate.protocol import ProtocolRun
from clearcnn.workflows.evaluate.save_evaluation import keep_assessment
from clearcnn.workflows.evaluate.schedule import FoldWork
from clearcnn.workflows.fitting.listeners import EvaluateListener
from clearcnn.workflows.fitting.phase_timer import Clock
from clearcnn.workflows.fitting.repro_command import say_call

__all__ = ["EvaluateListener", "compare", "evaluate"]


def evaluate(
    source: str | Path | DataSpec | LabelledImages = "digits",
    new: str | Path | DataSpec | LabelledImages | None = None,
    *,
    data: str | Path | DataSpec | LabelledImages | None = None,
    recipe: str = "default",
    model: ModelSpec | Path | str | None = None,
    compare: Sequence[str | Path] = (),
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    folds: int = 10,
    budget: float = 60.0,
    baselines: bool = True,
    learning_curve: bool = True,
    seed: int = 777,
    out: Path | str | None = None,
    listener: EvaluateListener | None = None,
    command: str | None = None,
) -> Assessment:
    """Train a recipe from scratch on fold after fold, and say how good it is and how sure that is.

    Every image is tested by a model that was not trained on it. Where the images have groups,
    whole groups are left out, which is the headline; stratified random folds stand beside it. If
    the source has a test part, it is left alone. Given a run folder in place of a source, the
    finished model is scored on its own test part, or on `new` images.

    Args:
      source: "digits", a path, a DataSpec, images already loaded, or a run folder.
      new: for a run folder: other labelled images, brought to its input contract.
      data: for a run folder: where the images are that it was trained on, or these images
        themselves. None takes the place that the run names, if you trained it on this computer.
      recipe, model, epochs, batch_size, learning_rate: as for `train`.
      compare: recipes or model files to train on the same folds, to be compared with the first.
      folds: stratified folds, 2 or more; 10 at least make a good interval.
      budget: seconds in which the folds are repeated with other seeds; they are gone through
        once, however long that takes.
      baselines: whether to train scikit-learn's classifiers on the same folds.
      learning_curve: whether to train on parts of the images, too.
      seed: of folds, weights, shuffles, dropout and augmentation.
      out: the folder to make; None makes `evaluations/<source>-<UTC time>/`.
      listener: hears how it goes.
      command: what to type for the same result; the report shows it.
    Returns:
      Assessment; its `folder` holds the report and the same figures as JSON.
    Raises:
      ClearCNNError: data, options, models or folder are not as they must be.
    """
    listener = listener or EvaluateListener()
    out = None if out is None else Path(out)
    settings = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}
    asked: dict[str, Any] = {
        "recipe": recipe,
        "model": model,
        "compare": tuple(compare) or None,
        **settings,
    }
    command = command or say_call("evaluate", source, {**asked, "folds": folds, "seed": seed})
    if isinstance(source, (str, Path)) and is_run_folder(source):
        if new is not None and data is not None:
            raise SpecError(
                "A run is scored on its own test part (data) or on new images, not on both.",
                remedy="Leave one of them out.",
            )
        folder = Path(source)
        return evaluate_run(folder, new, run_data=data, seed=seed, out=out, command=command)
    name = source.source if isinstance(source, (LabelledImages, DataSpec)) else str(source)
    if new is not None or data is not None:
        raise SpecError(
            f"{name} is no run folder, so there is no model to be scored.",
            remedy="Give a run folder first, or one source alone.",
        )
    given = {name: value for name, value in settings.items() if value is not None}
    candidates = _list_candidates(recipe, model, compare, given)
    clock = Clock()
    with keep_assessment(name, out, command) as keep:
        with clock.phase("data"):
            images, notes = _read(source)
            runs, sentences = _lay_out(images, folds, seed)
        work = FoldWork(runs, candidates, seed, listener, clock)
        work.fit_candidates()
        if baselines:
            work.fit_baselines()
        work.repeat(budget)
        protocols = tuple(
            run.conclude(sentence.format(repeats=_say_times(work.repeats.get(run.kind, 1))))
            for run, sentence in zip(runs, sentences, strict=True)
        )
        baseline = _find_best(protocols[0]) if baselines else None
        curve = work.trace_learning() if learning_curve else None
        headline, first = runs[0], candidates[0].name
        rows, probabilities = headline.pool(first)
        result = Assessment(
            source=images.source,
            num_images=len(images),
            class_names=images.class_names,
            protocols=protocols,
            evaluation=evaluation.evaluate_predictions(
                images.labels[rows],
                probabilities,
                images.class_names,
                rows,
                [images.names[row] for row in rows],
            ),
            reliability=headline.judge_reliability(first, seed),
            robustness=headline.judge_robustness(
                first, None if baseline is None else work.distort_baseline(baseline)
            ),
            baseline=baseline,
            learning_curve=curve,
            notes=(*notes, *_say_divergences(runs), *_say_gap(protocols)),
            seconds=clock.seconds,
        )
        keep.write(result, images, rows, probabilities)
    return dataclasses.replace(result, folder=keep.path)


def compare(
    compared: Sequence[str | Path],
    source: str | Path | DataSpec | LabelledImages = "digits",
    *,
    folds: int = 10,
    budget: float = 60.0,
    seed: int = 777,
    out: Path | str | None = None,
    listener: EvaluateListener | None = None,
) -> Assessment:
    """Train several CNNs on the same folds, and say which of them can be told apart.

    Args:
      compared: two or more recipes or model files; the others are compared with the first.
      source, folds, budget, seed, out, listener: as for `evaluate`.
    Returns:
      Assessment, without baselines and learning curve.
    Raises:
      ClearCNNError: as `evaluate`; or fewer than two are given.
    """
    if len(compared) < 2:
        raise SpecError(
            f"{len(compared)} model can't be compared with another.",
            remedy='Give two or more, such as ["default", "tutorial"] or model files.',
        )
    first, *others = compared
    is_recipe = str(first) in models.RECIPES
    return evaluate(
        source,
        recipe=str(first) if is_recipe else "default",
        model=None if is_recipe else first,
        compare=others,
        folds=folds,
        budget=budget,
        baselines=False,
        learning_curve=False,
        seed=seed,
        out=out,
        listener=listener,
    )


def _list_candidates(
    recipe: str,
    model: ModelSpec | Path | str | None,
    compared: Sequence[str | Path],
    settings: dict[str, Any],
) -> list[Candidate]:
    """Name the CNNs; each name stands once."""
    models.find_recipe(recipe)
    if isinstance(model, ModelSpec):
        first = Candidate(model.name, recipe, model, settings)
    elif model is not None:
        first = Candidate(Path(model).name, recipe, Path(model), settings)
    else:
        first = Candidate(recipe, recipe, None, settings)
    candidates = [first]
    for each in compared:
        if str(each) in models.RECIPES:
            candidates.append(Candidate(str(each), str(each), None, settings))
        else:
            candidates.append(Candidate(Path(each).name, recipe, Path(each), settings))
    names = [candidate.name for candidate in candidates]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise SpecError(
            f"{', '.join(map(repr, repeated))} would be compared with itself.",
            remedy="Name each recipe or model file once; give files names of their own.",
        )
    return candidates


def _read(
    source: str | Path | DataSpec | LabelledImages,
) -> tuple[LabelledImages, tuple[str, ...]]:
    """Read the images, and leave a test part alone that the source gives."""
    if isinstance(source, LabelledImages):
        images = source
    else:
        images = load(source if isinstance(source, DataSpec) else DataSpec(str(source)))
    notes = images.preparation
    if images.split_names is None:
        return images, notes
    rows = np.flatnonzero(images.split_names != "test")
    left = len(images) - len(rows)
    if left:
        notes += (
            f"The {left:,} images of the source's test part are left alone, for `train` to score "
            "once.",
        )
    return dataclasses.replace(images.take(rows), split_names=None), notes


def _lay_out(
    images: LabelledImages, num_folds: int, seed: int
) -> tuple[list[ProtocolRun], list[str]]:
    """Make the protocols, the headline first, and what is said of them."""
    counts = np.bincount(images.labels, minlength=len(images.class_names))
    most = max(2, min(num_folds, int(counts.min())))
    random = evaluation.make_random_folds(images.labels, num_folds=most, repeat=0, seed=seed)
    runs = [ProtocolRun("random", images, random)]
    sentences = [
        f"{len(images):,} images in {most} stratified folds, gone through {{repeats}}; each "
        "training tests on one fold and trains on the others."
    ]
    if images.groups is None or len(np.unique(images.groups)) < 2:
        return runs, sentences
    groups = len(np.unique(images.groups))
    left_out = evaluation.leave_groups_out(
        images.labels, images.groups, num_folds=num_folds, seed=seed
    )
    runs.insert(0, ProtocolRun("groups", images, left_out))
    which = "one group" if len(left_out) == groups else "whole groups"
    sentences.insert(
        0,
        f"{len(images):,} images of {groups:,} groups; each of {len(left_out)} trainings tests on "
        f"{which} it never saw, gone through {{repeats}}.",
    )
    return runs, sentences


def _say_times(number: int) -> str:
    return "once" if number == 1 else f"{number} times with other seeds"


def _find_best(protocol: Protocol) -> str:
    among = [model for model in protocol.models if model.name in BASELINES]
    best: ModelScore = max(among, key=lambda model: model.score.accuracy)
    return best.name


def _say_divergences(runs: Sequence[ProtocolRun]) -> tuple[str, ...]:
    """Say so if trainings ended in numbers that are not finite."""
    return tuple(
        f"{len(errors)} of {len(run.answers[name])} trainings of {name} ended in numbers that are "
        f"not finite, and are scored with the weights they had before. The first: {errors[0]}"
        for run in runs
        for name, errors in run.find_divergences().items()
    )


def _say_gap(protocols: Sequence[Protocol]) -> tuple[str, ...]:
    """Say how much easier random folds are than unseen groups."""
    if len(protocols) < 2:
        return ()
    groups, random = (protocol.models[0].score.accuracy for protocol in protocols)
    points = 100 * (random - groups)
    return (
        f"Random folds give {100 * random:.1f} %, {abs(points):.1f} points "
        f"{'more' if points >= 0 else 'less'} than the {100 * groups:.1f} % on groups never seen: "
        "there, images of one group stand on both sides.",
    )
