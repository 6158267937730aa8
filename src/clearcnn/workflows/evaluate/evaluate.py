"""`evaluate`: the accuracy of a recipe or a finished run, with intervals."""

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clearcnn import evaluation, models
from clearcnn.data import LabelledImages, PythonImages, load
from clearcnn.errors import SpecError
from clearcnn.evaluation import BASELINES
from clearcnn.language import say
from clearcnn.results.evaluate import Assessment, ModelScore, Protocol
from clearcnn.specs import DataSpec, ModelSpec
from clearcnn.workflows.evaluate.cross_validate import Candidate
from clearcnn.workflows.evaluate.finished_run import evaluate_run, is_run_folder
from clearcnn.workflows.evaluate.protocol import ProtocolRun
from clearcnn.workflows.evaluate.save_evaluation import open_evaluation_folder
from clearcnn.workflows.evaluate.schedule import Schedule
from clearcnn.workflows.fitting.fit_plan import score_predictions, show_mistakes
from clearcnn.workflows.fitting.listeners import EvaluateListener, Verbose, watch_evaluation
from clearcnn.workflows.fitting.phase_timer import PhaseTimer
from clearcnn.workflows.fitting.python_images import load_python_images
from clearcnn.workflows.fitting.report_language import find_language
from clearcnn.workflows.fitting.repro_command import format_call

__all__ = ["EvaluateListener", "compare", "evaluate"]


def evaluate(
    source: str | Path | DataSpec | LabelledImages | PythonImages = "digits",
    new: str | Path | DataSpec | LabelledImages | PythonImages | None = None,
    *,
    data: str | Path | DataSpec | LabelledImages | PythonImages | None = None,
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
    verbose: Verbose = "auto",
    listener: EvaluateListener | None = None,
    command: str | None = None,
    language: str | None = None,
) -> Assessment:
    """Cross-validate a recipe, or score a finished run, with intervals.

    A recipe is trained from scratch on every fold, so that each image is predicted by a model that
    was not trained on it. If the images have groups, the headline leaves whole groups out, and
    stratified random folds are reported beside it. A test set of the source is not used. Given a
    run folder as the source, its model is scored on its own test set or on `new` images.

    Args:
      source: "digits", a path, a DataSpec, images already loaded or in Python, as for `load`, or a
        run folder.
      new: for a run folder: other labelled images, converted to its input contract.
      data: for a run folder: the source of the images that it was trained on, or these images
        themselves. None takes the source that the run names, if you trained it on this computer.
      recipe, model, epochs, batch_size, learning_rate: as for `train`.
      compare: recipes or model files to train on the same folds and compare with the first.
      folds: number of stratified folds, >= 2; use at least 10 for a good interval.
      budget: seconds for repeats of the folds with other seeds; the first pass is always finished.
      baselines: whether to train scikit-learn's classifiers on the same folds.
      learning_curve: whether to train on subsets of the images too.
      seed: of folds, initial weights, shuffling, dropout and augmentation.
      out: the folder to make; None makes `evaluations/<source>-<UTC time>/`.
      verbose: as in Keras: 0 shows nothing, 1 shows the progress that the terminal shows, and
        "auto" does so in a notebook or an interactive Python, but not in a script. Without a
        `listener` only.
      listener: hears about the progress.
      command: the command that gives the same result; the report shows it.
      language: of the report: "en" or "ko"; None takes that of the locale.
    Returns:
      Assessment; its `folder` has the report and the same figures as JSON.
    Raises:
      ClearCNNError: data, options, models or folder are invalid.
    """
    spoken = find_language(language)
    reading = listener or EvaluateListener()
    source = load_python_images(source, reading)
    new = None if new is None else load_python_images(new, reading)
    data = None if data is None else load_python_images(data, reading)
    out = None if out is None else Path(out)
    settings = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}
    given: dict[str, Any] = {
        "recipe": recipe,
        "model": model,
        "compare": tuple(compare) or None,
        **settings,
    }
    command = command or format_call("evaluate", source, {**given, "folds": folds, "seed": seed})
    if isinstance(source, (str, Path)) and is_run_folder(source):
        if new is not None and data is not None:
            raise SpecError(
                say("A run is scored either on its own test set (data) or on new images."),
                remedy=say("Leave one of them out."),
            )
        folder = Path(source)
        return evaluate_run(
            folder, new, run_data=data, seed=seed, out=out, command=command, language=spoken
        )
    name = source.source if isinstance(source, (LabelledImages, DataSpec)) else str(source)
    if new is not None or data is not None:
        raise SpecError(
            say("{name} is not a run folder, so there is no model to score.", name=name),
            remedy=say("Give a run folder first, or only one source."),
        )
    overrides = {name: value for name, value in settings.items() if value is not None}
    candidates = _list_candidates(recipe, model, compare, overrides)
    clock = PhaseTimer()
    with (
        watch_evaluation(listener, verbose) as heard,
        open_evaluation_folder(name, out, command, spoken) as opened,
    ):
        with clock.phase("data"):
            images, notes = _read(source, heard)
            runs, writers = _make_protocols(images, folds, seed)
        schedule = Schedule(runs, candidates, seed, heard, clock)
        schedule.fit_candidates()
        if baselines:
            schedule.fit_baselines()
        schedule.repeat(budget)
        protocols = tuple(
            run.conclude(write(_count_passes(schedule.repeats.get(run.kind, 1))))
            for run, write in zip(runs, writers, strict=True)
        )
        baseline = _find_best_baseline(protocols[0]) if baselines else None
        curve = schedule.trace_learning() if learning_curve else None
        headline, first = runs[0], candidates[0].name
        rows, probabilities = headline.pool(first)
        calibrated = headline.calibrate(first)
        result = Assessment(
            source=images.source,
            num_images=len(images),
            class_names=images.class_names,
            protocols=protocols,
            evaluation=score_predictions(images, rows, probabilities, calibrated),
            reliability=headline.judge_reliability(first, seed),
            robustness=headline.judge_robustness(
                first, None if baseline is None else schedule.distort_baseline(baseline)
            ),
            baseline=baseline,
            learning_curve=curve,
            notes=(*notes, *_report_divergences(runs), *_report_gap(protocols)),
            seconds=clock.seconds,
        )
        opened.write(result, images, rows, probabilities if calibrated is None else calibrated)
    pictures = show_mistakes(result.evaluation, images)
    return dataclasses.replace(result, folder=opened.path, pictures=pictures)


def compare(
    compared: Sequence[str | Path],
    source: str | Path | DataSpec | LabelledImages | PythonImages = "digits",
    *,
    folds: int = 10,
    budget: float = 60.0,
    seed: int = 777,
    out: Path | str | None = None,
    verbose: Verbose = "auto",
    listener: EvaluateListener | None = None,
) -> Assessment:
    """Train several CNNs on the same folds, and test which of them differ.

    Args:
      compared: two or more recipes or model files; the others are compared with the first.
      source, folds, budget, seed, out, verbose, listener: as for `evaluate`.
    Returns:
      Assessment, without baselines and learning curve.
    Raises:
      ClearCNNError: as `evaluate`; or fewer than two are given.
    """
    if len(compared) < 2:
        raise SpecError(
            say(
                "There is nothing to compare: {num_compared} of at least 2 models given.",
                num_compared=len(compared),
            ),
            remedy=say('Give two or more, such as ["default", "tutorial"] or model files.'),
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
        verbose=verbose,
        listener=listener,
    )


def _list_candidates(
    recipe: str,
    model: ModelSpec | Path | str | None,
    compared: Sequence[str | Path],
    settings: dict[str, Any],
) -> list[Candidate]:
    """List the CNNs under unique names."""
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
            say("{repr} would be compared with itself.", repr=", ".join(map(repr, repeated))),
            remedy=say("Name each recipe or model file once; model files need different names."),
        )
    return candidates


def _read(
    source: str | Path | DataSpec | LabelledImages, listener: EvaluateListener
) -> tuple[LabelledImages, tuple[str, ...]]:
    """Read the images, without the source's own test set."""
    if isinstance(source, LabelledImages):
        images = source
    else:
        spec = source if isinstance(source, DataSpec) else DataSpec(str(source))
        images = load(spec, progress=listener.on_reading)
    notes = images.preparation
    if images.split_names is None:
        return images, notes
    rows = np.flatnonzero(images.split_names != "test")
    left = len(images) - len(rows)
    if left:
        notes += (
            say(
                "The {left:,} images of the source's test set are not used here: `train` "
                "scores them once.",
                left=left,
            ),
        )
    return dataclasses.replace(images.take(rows), split_names=None), notes


def _make_protocols(
    images: LabelledImages, num_folds: int, seed: int
) -> tuple[list[ProtocolRun], list[Callable[[str], str]]]:
    """Make the protocols, the headline first, and what describes each, given its repeats."""
    counts = np.bincount(images.labels, minlength=len(images.class_names))
    most = max(2, min(num_folds, int(counts.min())))
    random = evaluation.make_random_folds(images.labels, num_folds=most, repeat=0, seed=seed)
    runs = [ProtocolRun("random", images, random)]
    writers: list[Callable[[str], str]] = [
        lambda repeats: say(
            "{num_images:,} images in {most} stratified folds, {repeats}; each training tests on "
            "one fold and trains on the others.",
            num_images=len(images),
            most=most,
            repeats=repeats,
        )
    ]
    if images.groups is None or len(np.unique(images.groups)) < 2:
        return runs, writers
    groups = len(np.unique(images.groups))
    left_out = evaluation.leave_groups_out(
        images.labels, images.groups, num_folds=num_folds, seed=seed
    )
    runs.insert(0, ProtocolRun("groups", images, left_out))
    which = say("one group") if len(left_out) == groups else say("whole groups")
    writers.insert(
        0,
        lambda repeats: say(
            "{num_images:,} images of {groups:,} groups; each of {num_left_out} trainings "
            "tests on {which} it never saw, {repeats}.",
            repeats=repeats,
            num_images=len(images),
            groups=groups,
            num_left_out=len(left_out),
            which=which,
        ),
    )
    return runs, writers


def _count_passes(number: int) -> str:
    return say("once") if number == 1 else say("{number} times with different seeds", number=number)


def _find_best_baseline(protocol: Protocol) -> str:
    among = [model for model in protocol.models if model.name in BASELINES]
    best: ModelScore = max(among, key=lambda model: model.score.accuracy)
    return best.name


def _report_divergences(runs: Sequence[ProtocolRun]) -> tuple[str, ...]:
    """Report diverged trainings."""
    return tuple(
        say(
            "{num_errors} of {num_outcomes} trainings of {name} diverged (NaN or infinity), "
            "and are scored with their last finite weights. The first: {errors}",
            num_errors=len(errors),
            num_outcomes=len(run.outcomes[name]),
            name=name,
            errors=errors[0],
        )
        for run in runs
        for name, errors in run.find_divergences().items()
    )


def _report_gap(protocols: Sequence[Protocol]) -> tuple[str, ...]:
    """Report how much easier random folds are than unseen groups."""
    if len(protocols) < 2:
        return ()
    groups, random = (protocol.models[0].score.accuracy for protocol in protocols)
    points = 100 * (random - groups)
    return (
        say(
            "Random folds give {random:.1f} %, {points:.1f} points {rest} than the "
            "{groups:.1f} % on unseen groups: random folds put images of one group into both "
            "training and test set.",
            random=100 * random,
            points=abs(points),
            rest=say("more") if points >= 0 else say("less"),
            groups=100 * groups,
        ),
    )
