"""`train`: from labelled images to a complete run folder."""

import dataclasses
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from clearcnn import bundle, models
from clearcnn.checkpoints import CheckpointFolder
from clearcnn.data import LabelledImages, PythonImages
from clearcnn.errors import BundleError, ClearCNNError, SpecError
from clearcnn.language import Language, say
from clearcnn.results.train import TrainResult
from clearcnn.specs import CheckpointSpec, DataSpec, ModelSpec, SplitKind, SplitSpec, TrainSpec
from clearcnn.types import Arguments
from clearcnn.workflows.fitting.augmentation_choice import check_augmentation
from clearcnn.workflows.fitting.budget import Budget, read_seconds
from clearcnn.workflows.fitting.listeners import TrainListener, Verbose, watch_training
from clearcnn.workflows.fitting.python_images import load_python_images
from clearcnn.workflows.fitting.report_language import find_language
from clearcnn.workflows.fitting.repro_command import format_call, suggest_resume
from clearcnn.workflows.runs.run_data import choose_source
from clearcnn.workflows.train.pipeline import TrainPipeline
from clearcnn.workflows.train.resume import Job, open_job

__all__ = ["TrainListener", "train"]

_MOST_NAMES = 5


def train(
    source: str | Path | DataSpec | LabelledImages | PythonImages = "digits",
    *,
    recipe: str = "default",
    model: ModelSpec | Path | str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    seed: int = 777,
    split: SplitKind | None = None,
    test_fraction: float | None = None,
    validation_fraction: float | None = None,
    augment: Sequence[str] | None = None,
    flip: bool | None = None,
    budget: float | str | None = None,
    out: Path | str | None = None,
    resume: Path | str | None = None,
    checkpoint_seconds: float = 30.0,
    verbose: Verbose = "auto",
    listener: TrainListener | None = None,
    command: str | None = None,
    language: str | None = None,
) -> TrainResult:
    """Train a CNN on labelled images, score it once on its test set, and write a run folder.

    The recipe gives the value of every argument that is None.

    Args:
      source: "digits", a path, a DataSpec, images already loaded, or images in Python, as for
        `load`. With `resume`, the source of
        that run's images, or these images; of a DataSpec, only source and use count. By default
        it is the source that the run names, if you began it on this computer.
      recipe: "default" or "tutorial".
      model: layers that replace the recipe's; a spec, or the path of a TOML file.
      epochs, batch_size, learning_rate: as in TrainSpec.
      seed: of the split, the initial weights, shuffling, dropout and augmentation.
      split, test_fraction, validation_fraction: as in SplitSpec.
      augment: which of the recipe's random changes of training images to keep: some of "shift",
        "rotation", "zoom", "shear", "contrast", "brightness" and "flip", or only "none".
      flip: whether half of the training images are mirrored left to right. None lets a short trial
        training decide where the recipe asks for one.
      budget: the time for the whole training, in seconds or as "60s" or "5min": the epochs follow
        from the pace of this machine, at most the recipe's. The run has them, and the report's
        command repeats it.
      out: the run folder to make; None makes `runs/<source>-<UTC time>/`.
      resume: a run to resume; or a unique beginning of its name below `runs/`, or "latest". One
        that was stopped (`NAME` or `NAME.unfinished`) ends in the same bits as if it had not been;
        a finished one is trained for more `epochs`, into a new run folder. All other options are
        the run's; images that were passed in Python must be passed
        again.
      checkpoint_seconds: the least time between two checkpoints, as in CheckpointSpec.
      verbose: as in Keras: 0 shows nothing, 1 shows the progress that the terminal shows, and
        "auto" does so in a notebook or an interactive Python, but not in a script. Without a
        `listener` only.
      listener: hears about the progress.
      command: the command that gives the same result; the report shows it.
      language: of the report and its figures: "en" or "ko"; None takes that of the locale.
    Returns:
      TrainResult; its `run_folder` is complete. After Ctrl-C and at least one epoch, the model is
      that of the last epoch and `interrupted` is true. If loss or weights became NaN or infinite,
      the model is as in DivergenceError, and `divergence` has the reason.
    Raises:
      DivergenceError: loss or weights became NaN or infinite in the first epoch.
      ClearCNNError: data, options, model or run folder are invalid.
      KeyboardInterrupt: interrupted before the first epoch ended, or twice during training, or
        twice while scoring and writing; if a checkpoint was written, `NAME.unfinished` can be
        resumed.
    """
    begun = time.perf_counter()
    CheckpointSpec("", checkpoint_seconds)
    spoken = find_language(language)
    out = None if out is None else Path(out)
    fractions: Arguments = {
        "test_fraction": test_fraction,
        "validation_fraction": validation_fraction,
    }
    settings: Arguments = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
    }
    given: Arguments = {"recipe": recipe, "model": model, **settings, "seed": seed, "split": split}
    changes = None if augment is None else tuple(augment)
    given |= {**fractions, "augment": changes, "flip": flip}
    seconds = read_seconds(budget)
    if seconds is not None and epochs is not None:
        raise SpecError(
            say("budget was given together with epochs, which it chooses."),
            remedy=say("Leave out either."),
        )
    source = load_python_images(source, listener or TrainListener())
    images = source if isinstance(source, LabelledImages) else None
    if resume is not None:
        _check_resume_options(
            {**given, "epochs": None, "budget": budget}, {"recipe": "default", "seed": 777}
        )
        call = format_call("train", source, {"epochs": epochs, "resume": str(resume)})
        with (
            watch_training(listener, verbose) as heard,
            open_job(Path(resume), epochs, out, command or call, heard) as job,
        ):
            return _train(_set_source(job, source), images, checkpoint_seconds, heard, spoken)
    found_recipe = models.find_recipe(recipe)
    # Invalid settings raise here, before any image is read.
    dataclasses.replace(TrainSpec(seed=seed), **_without_none(settings))
    if changes is not None:
        check_augmentation(changes, flip)
    job = Job(
        recipe=recipe,
        data=_to_data_spec(source),
        split=SplitSpec(
            split=split or found_recipe.split,
            seed=seed,
            **{
                "validation_fraction": found_recipe.validation_fraction,
                **_without_none(fractions),
            },
        ),
        model=model,
        settings=_without_none(settings),
        seed=seed,
        out=out,
        command=command or format_call("train", source, given),
        augment=changes,
        flip=flip,
        budget=None if seconds is None else Budget(seconds, begun),
    )
    with watch_training(listener, verbose) as heard:
        return _train(job, images, checkpoint_seconds, heard, spoken)


def _train(
    job: Job,
    images: LabelledImages | None,
    checkpoint_seconds: float,
    listener: TrainListener,
    language: Language,
) -> TrainResult:
    """Run the job; remove the unfinished run when the run folder is complete."""
    files = job.unfinished
    if job.out is not None and files is None:
        _check_no_unfinished_run(job.out)
    try:
        with (
            ExitStack() as on_exit,
            bundle.open_run_folder(job.data.source, out=job.out) as run,
        ):
            files = files or CheckpointFolder(bundle.unfinished_place(run.path))
            pipeline = TrainPipeline(job, run, files, checkpoint_seconds, listener, language)
            result = pipeline.run_steps(images, on_exit)
        if others := pipeline.unfinished.remove():
            listener.on_warning(
                say(
                    "{folder} is no longer needed, but has files that are not of this run "
                    "({others}); they were left there.",
                    folder=files.folder,
                    others=", ".join(others[:_MOST_NAMES]),
                )
            )
    except ClearCNNError as error:
        if files is not None and files.is_held:
            error.remedy += " " + _describe_checkpoints(files)
        raise
    finally:
        if files is not None and job.unfinished is None:
            files.unlock()
    return dataclasses.replace(result, run_folder=run.path)


def _check_no_unfinished_run(out: Path) -> None:
    folder = bundle.unfinished_place(out)
    if not os.path.lexists(folder):
        return
    try:
        bundle.read_request(folder)
    except BundleError as error:
        raise BundleError(
            say(
                "{folder}, where the checkpoints of {out} would go, exists but is not an "
                "unfinished run.",
                folder=folder,
                out=out,
            ),
            remedy=say("Move it away, or give another path with --out; it was not changed."),
        ) from error
    # Raises if another process is training it.
    with CheckpointFolder(folder).locked():
        pass
    raise BundleError(
        say("{folder} has an unfinished run of that name.", folder=folder),
        remedy=say(
            "Delete it, or give another path with --out. {folder}", folder=suggest_resume(folder)
        ),
    )


def _describe_checkpoints(files: CheckpointFolder) -> str:
    kept = files.list_files()
    if not kept:
        return say("{folder} was left without a checkpoint; delete it.", folder=files.folder)
    return say(
        "{name} is kept in {folder}. {next_step}",
        name=kept[0].name,
        folder=files.folder,
        next_step=suggest_resume(files.folder),
    )


def _check_resume_options(given: Arguments, defaults: Arguments) -> None:
    """Raise if options are given that a resumed run already has."""
    others = [name for name, value in given.items() if value != defaults.get(name)]
    if others:
        raise SpecError(
            say(
                "resume was given together with {others}, which the run already has.",
                others=", ".join(others),
            ),
            remedy=say("Leave these out; only source, epochs and out may be given."),
        )


def _set_source(job: Job, source: str | Path | DataSpec | LabelledImages) -> Job:
    """Read the images of a resumed run from the source that the user names."""
    if isinstance(source, LabelledImages):
        # The request will be signed, so it must not name a source that a stranger's run chose.
        return job if job.is_own else dataclasses.replace(job, data=_to_data_spec(source))
    named = None if source == "digits" else source
    return dataclasses.replace(job, data=choose_source(job.data, named, is_own=job.is_own))


def _to_data_spec(source: str | Path | DataSpec | LabelledImages) -> DataSpec:
    if isinstance(source, DataSpec):
        return source
    if isinstance(source, LabelledImages):
        return DataSpec(source=source.source, class_names=source.class_names)
    return DataSpec(source=str(source))


def _without_none(arguments: Arguments) -> Arguments:
    return {name: value for name, value in arguments.items() if value is not None}
