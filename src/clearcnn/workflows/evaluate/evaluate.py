"""`evaluate`: the accuracy of a recipe or a finished run, with intervals."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from clearcnn import evaluation, models
from clearcnn.data import LabelledImages, PythonImages, load
from clearcnn.errors import SpecError
from clearcnn.evaluation import BASELINES
from clearcnn.language import say
from clearcnn.results.evaluate import Assessment, LearningCurve, ModelScore, Protocol
from clearcnn.specs import DataSpec, ModelSpec
from clearcnn.workflows.evaluate.cross_validate import Candidate
from clearcnn.workflows.evaluate.evaluation_notes import (
    describe_images,
    report_balance,
    report_divergences,
    report_gap,
    report_interruption,
)
from clearcnn.workflows.evaluate.finished_run import evaluate_run, is_run_folder
from clearcnn.workflows.evaluate.protocol import ProtocolRun
from clearcnn.workflows.evaluate.save_evaluation import open_evaluation_folder
from clearcnn.workflows.evaluate.schedule import Schedule
from clearcnn.workflows.evaluate.work import MOST_FOLDS, Work
from clearcnn.workflows.fitting.augmentation_choice import check_augmentation
from clearcnn.workflows.fitting.budget import read_seconds
from clearcnn.workflows.fitting.fit_plan import score_predictions, show_mistakes
from clearcnn.workflows.fitting.listeners import EvaluateListener, Verbose, watch_evaluation
from clearcnn.workflows.fitting.phase_timer import PhaseTimer
from clearcnn.workflows.fitting.python_images import load_python_images
from clearcnn.workflows.fitting.report_language import find_language
from clearcnn.workflows.fitting.repro_command import format_call, replace_budget

__all__ = ["EvaluateListener", "compare", "evaluate"]

# They only show how much easier random folds are.
_MOST_RANDOM_BESIDE_GROUPS = 5


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
    augment: Sequence[str] | None = None,
    flip: bool | None = None,
    folds: int | None = None,
    repeats: int = 1,
    budget: float | str | None = None,
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
      recipe, model, epochs, batch_size, learning_rate, augment, flip: as for `train`. A flip trial
        is made once, on the training images of the first of ten folds.
      compare: recipes or model files to train on the same folds and compare with the first.
      folds: number of stratified folds, >= 2; None makes 10, or 5 where the trainings of 10 are
        much work, by the size of the network and the number of images and epochs.
      repeats: how many times the headline's folds are trained, each time with other seeds.
      budget: the time for the whole evaluation, in seconds or as "60s" or "5min". The learning
        curve, folds, baselines and epochs are reduced until it fits, in this order; what is left is
        for repeats. `command` in the report names the choices.
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
      Assessment; its `folder` has the report and the same figures as JSON. After Ctrl-C, it has the
      finished folds, and `interrupted` is true.
    Raises:
      ClearCNNError: data, options, models or folder are invalid, or the budget is too small.
      KeyboardInterrupt: interrupted before two folds were finished, or for the second time.
    """
    spoken = find_language(language)
    begun = time.perf_counter()
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
    seconds = read_seconds(budget)
    if seconds is not None and (epochs is not None or repeats != 1):
        raise SpecError(
            say("budget was given together with epochs or repeats, which it chooses."),
            remedy=say("Leave out either."),
        )
    given |= {"augment": None if augment is None else tuple(augment), "flip": flip}
    fixed = {"folds": folds, "seed": seed, "repeats": None if repeats == 1 else repeats}
    fixed |= {
        name: None if wanted else False
        for name, wanted in {"baselines": baselines, "learning_curve": learning_curve}.items()
    }
    if seconds is not None:
        fixed = {"seed": seed}
    command = command or format_call("evaluate", source, {**given, **fixed})
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
    candidates = [
        dataclasses.replace(each, augment=given["augment"], flip=flip)
        for each in _list_candidates(recipe, model, compare, overrides)
    ]
    if augment is not None:
        check_augmentation(augment, flip)
    clock = PhaseTimer()
    with (
        watch_evaluation(listener, verbose) as heard,
        open_evaluation_folder(name, out, command, spoken) as opened,
    ):
        with clock.phase("data"):
            images, notes = _read(source, heard)
            runs = _make_protocols(images, folds or MOST_FOLDS, seed)
        heard.on_finding(describe_images(images))
        schedule = Schedule(runs, candidates, seed, heard, clock)
        is_ten = folds in (None, MOST_FOLDS)
        ten = runs if is_ten else _make_protocols(images, MOST_FOLDS, seed)
        schedule.try_flips(ten[0].folds[0])
        work = schedule.plan_work(
            Work(folds or MOST_FOLDS, 0, repeats, baselines, learning_curve),
            seconds,
            begun,
            lambda number: _make_protocols(images, number, seed),
            may_reduce_folds=folds is None,
        )
        if seconds is not None:
            opened.command = replace_budget(command, dataclasses.asdict(work))
        if work.baselines:
            schedule.fit_baselines()
        curve = None
        with schedule.keeping_finished():
            schedule.fit_candidates()
            schedule.repeat(work.repeats)
            curve = schedule.trace_learning() if work.learning_curve else None
        result = _conclude(schedule, curve, notes)
        rows, probabilities = schedule.runs[0].pool(candidates[0].name)
        calibrated = schedule.runs[0].calibrate(candidates[0].name)
        opened.write(result, images, rows, probabilities if calibrated is None else calibrated)
    pictures = show_mistakes(result.evaluation, images)
    return dataclasses.replace(result, folder=opened.path, pictures=pictures)


def _conclude(
    schedule: Schedule,
    curve: LearningCurve | None,
    notes: tuple[str, ...],
) -> Assessment:
    """Score what was trained."""
    runs, first, seed = schedule.runs, schedule.candidates[0].name, schedule.seed
    headline, images = runs[0], runs[0].images
    rows, probabilities = headline.pool(first)
    scored = score_predictions(images, rows, probabilities, headline.calibrate(first))
    protocols = tuple(
        run.conclude(first, schedule.repeats.get(run.kind, 1), is_unequal=scored.is_unequal)
        for run in runs
    )
    baseline = _find_best_baseline(protocols[0])
    tested = None
    if baseline is not None and not schedule.interrupted:
        with schedule.keeping_finished():
            tested = schedule.distort_baseline(baseline)
    if schedule.interrupted:
        notes = (report_interruption(headline, first, len(rows)), *notes)
    if scored.is_unequal:
        notes += report_balance(protocols[0], schedule.compared.class_weight_power)
    return Assessment(
        source=images.source,
        num_images=len(rows),
        class_names=images.class_names,
        protocols=protocols,
        evaluation=scored,
        reliability=headline.judge_reliability(first, seed),
        robustness=headline.judge_robustness(first, tested),
        baseline=baseline,
        learning_curve=curve,
        notes=(*notes, *report_divergences(runs), *report_gap(protocols)),
        seconds=schedule.clock.seconds,
        interrupted=schedule.interrupted,
    )


def compare(
    compared: Sequence[str | Path],
    source: str | Path | DataSpec | LabelledImages | PythonImages = "digits",
    *,
    folds: int | None = None,
    repeats: int = 1,
    budget: float | str | None = None,
    seed: int = 777,
    out: Path | str | None = None,
    language: str | None = None,
    verbose: Verbose = "auto",
    listener: EvaluateListener | None = None,
) -> Assessment:
    """Train several CNNs on the same folds, and test which of them differ.

    Args:
      compared: two or more recipes or model files; the others are compared with the first.
      source, folds, repeats, budget, seed, out, language, verbose, listener: as for `evaluate`.
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
        repeats=repeats,
        budget=budget,
        baselines=False,
        learning_curve=False,
        seed=seed,
        out=out,
        language=language,
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
            say("{names} would be compared with itself.", names=", ".join(map(repr, repeated))),
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


def _make_protocols(images: LabelledImages, num_folds: int, seed: int) -> list[ProtocolRun]:
    """Make the protocols, the headline first, with as many folds as the smallest class allows."""
    counts = np.bincount(images.labels, minlength=len(images.class_names))
    most = min(num_folds, max(2, int(counts.min())))
    if images.groups is None or len(np.unique(images.groups)) < 2:
        random = evaluation.make_random_folds(images.labels, num_folds=most, repeat=0, seed=seed)
        return [ProtocolRun("random", images, random)]
    left_out = evaluation.leave_groups_out(images.labels, images.groups, num_folds=most, seed=seed)
    beside = min(most, _MOST_RANDOM_BESIDE_GROUPS)
    random = evaluation.make_random_folds(images.labels, num_folds=beside, repeat=0, seed=seed)
    return [ProtocolRun("groups", images, left_out), ProtocolRun("random", images, random)]


def _find_best_baseline(protocol: Protocol) -> str | None:
    among = [model for model in protocol.models if model.name in BASELINES]
    if not among:
        return None
    best: ModelScore = max(among, key=lambda model: model.score.accuracy)
    return best.name
