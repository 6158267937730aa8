"""`train`: from labelled images to a run folder that is whole."""

import dataclasses
import os
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from clearcnn import bundle, models
from clearcnn.checkpoints import CheckpointFolder
from clearcnn.data import LabelledImages
from clearcnn.errors import BundleError, ClearCNNError, SpecError
from clearcnn.results.train import TrainResult
from clearcnn.specs import CheckpointSpec, DataSpec, ModelSpec, SplitKind, SplitSpec, TrainSpec
from clearcnn.workflows.fitting.listeners import TrainListener
from clearcnn.workflows.fitting.repro_command import format_call, suggest_resume
from clearcnn.workflows.runs.run_data import choose_source
from clearcnn.workflows.train.pipeline import TrainPipeline
from clearcnn.workflows.train.resume import Job, open_job

__all__ = ["TrainListener", "train"]

_MOST_NAMES = 5


def train(
    source: str | Path | DataSpec | LabelledImages = "digits",
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
    out: Path | str | None = None,
    resume: Path | str | None = None,
    checkpoint_seconds: float = 30.0,
    listener: TrainListener | None = None,
    command: str | None = None,
) -> TrainResult:
    """Train a CNN on labelled images, score it once on its test part, and keep everything.

    Where an argument is None, the recipe decides.

    Args:
      source: "digits", a path, a DataSpec, or images already loaded. Beside `resume`, where the
        images of that run are, or these images; of a DataSpec, source and use count. Left out,
        it is the place that the run names, if you began it on this computer.
      recipe: "default" or "tutorial".
      model: the layers, in place of the recipe's; a spec, or the path of a TOML file.
      epochs, batch_size, learning_rate: as in TrainSpec.
      seed: of the split, the first weights, the shuffles, dropout and augmentation.
      split, test_fraction, validation_fraction: as in SplitSpec.
      out: the run folder to make; None makes `runs/<source>-<UTC time>/`.
      resume: a run to go on with: one that was stopped (`NAME` or `NAME.unfinished`) ends in the
        same bits as if it never had been; a finished one is trained on for more `epochs`, into a
        run folder of its own. Everything else is as the run has it; images that were passed
        in Python are passed again.
      checkpoint_seconds: the least between two checkpoints, as in CheckpointSpec.
      listener: hears how it goes.
      command: what to type for the same result; the report shows it.
    Returns:
      TrainResult; its `run_folder` is whole. Interrupted by Ctrl-C after at least one epoch,
      the model is that of the last epoch and `interrupted` is true. If loss or weights stop
      being finite, the model is as in DivergenceError, and `divergence` says why.
    Raises:
      DivergenceError: not even the first epoch was finite.
      ClearCNNError: data, options, model or run folder are not as they must be.
      KeyboardInterrupt: interrupted before the first epoch ended, or twice while it is trained,
        or twice while it is scored and written; what can be gone on with lies in
        `NAME.unfinished`, if a checkpoint had been written.
    """
    listener = listener or TrainListener()
    CheckpointSpec("", checkpoint_seconds)
    out = None if out is None else Path(out)
    fractions = {"test_fraction": test_fraction, "validation_fraction": validation_fraction}
    settings = {"epochs": epochs, "batch_size": batch_size, "learning_rate": learning_rate}
    asked = {"recipe": recipe, "model": model, **settings, "seed": seed, "split": split}
    images = source if isinstance(source, LabelledImages) else None
    if resume is not None:
        unasked = {"recipe": "default", "seed": 777}
        _refuse_more({**asked, **fractions, "epochs": None}, unasked)
        call = format_call("train", source, {"epochs": epochs, "resume": str(resume)})
        with open_job(Path(resume), epochs, out, command or call, listener) as job:
            return _train(_name_source(job, source), images, checkpoint_seconds, listener)
    found_recipe = models.find_recipe(recipe)
    # What is out of range is said before any image is read.
    dataclasses.replace(TrainSpec(seed=seed), **_given(settings))
    job = Job(
        recipe=recipe,
        data=_to_data_spec(source),
        split=SplitSpec(split=split or found_recipe.split, seed=seed, **_given(fractions)),
        model=model,
        settings=_given(settings),
        seed=seed,
        out=out,
        command=command or format_call("train", source, asked | fractions),
    )
    return _train(job, images, checkpoint_seconds, listener)


def _train(
    job: Job, images: LabelledImages | None, checkpoint_seconds: float, listener: TrainListener
) -> TrainResult:
    """Do the job in a run folder in the making; what is unfinished goes when that is there."""
    files = job.unfinished
    if job.out is not None and files is None:
        _refuse_unfinished(job.out)
    try:
        with (
            ExitStack() as to_the_end,
            bundle.open_run_folder(job.data.source, out=job.out) as run,
        ):
            files = files or CheckpointFolder(bundle.unfinished_place(run.path))
            work = TrainPipeline(job, run, files, checkpoint_seconds, listener)
            result = work.do(images, to_the_end)
        if others := work.unfinished.remove():
            listener.on_warning(
                f"{files.folder} is not needed any more, but holds what is not of this run "
                f"({', '.join(others[:_MOST_NAMES])}); that was left there."
            )
    except ClearCNNError as error:
        if files is not None and files.is_held:
            error.remedy += f" {_say_what_is_kept(files)}"
        raise
    finally:
        if files is not None and job.unfinished is None:
            files.unlock()
    return dataclasses.replace(result, run_folder=run.path)


def _refuse_unfinished(out: Path) -> None:
    folder = bundle.unfinished_place(out)
    if not os.path.lexists(folder):
        return
    try:
        bundle.read_request(folder)
    except BundleError as error:
        raise BundleError(
            f"{folder} is there, where the checkpoints of {out} would be kept, and is no "
            "unfinished run.",
            remedy="Move it away, or give another place with --out; it was left as it is.",
        ) from error
    # Of one that another process is training, that is what is wrong.
    with CheckpointFolder(folder).locked():
        pass
    raise BundleError(
        f"{folder} holds an unfinished run of that name.",
        remedy=f"Delete it, or give another place with --out. {suggest_resume(folder)}",
    )


def _say_what_is_kept(files: CheckpointFolder) -> str:
    kept = files.list_files()
    if not kept:
        return f"{files.folder} was left behind, without a checkpoint; delete it."
    return f"{kept[0].name} is kept in {files.folder}. {suggest_resume(files.folder)}"


def _refuse_more(asked: dict[str, Any], usual: dict[str, Any]) -> None:
    """A run that goes on has its own options."""
    others = [name for name, value in asked.items() if value != usual.get(name)]
    if others:
        raise SpecError(
            f"resume was given beside {', '.join(others)}, which the run has already.",
            remedy="Leave these out; source, epochs and out are what may be given.",
        )


def _name_source(job: Job, source: str | Path | DataSpec | LabelledImages) -> Job:
    """Have the images of a run that goes on read from where the user says."""
    if isinstance(source, LabelledImages):
        # What is written down is signed: of a stranger's run, it is not the place that it names.
        return job if job.is_own else dataclasses.replace(job, data=_to_data_spec(source))
    named = None if source == "digits" else source
    return dataclasses.replace(job, data=choose_source(job.data, named, is_own=job.is_own))


def _to_data_spec(source: str | Path | DataSpec | LabelledImages) -> DataSpec:
    if isinstance(source, DataSpec):
        return source
    if isinstance(source, LabelledImages):
        return DataSpec(source=source.source, class_names=source.class_names)
    return DataSpec(source=str(source))


def _given(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}
