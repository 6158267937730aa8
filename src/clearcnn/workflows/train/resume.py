"""The job of `train`: a new run, or a run to resume."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from clearcnn import bundle, models
from clearcnn.bundle import Bundle, Request
from clearcnn.checkpoints import (
    Checkpoint,
    CheckpointFolder,
    decode_checkpoint,
    limit_checkpoint_bytes,
)
from clearcnn.errors import BundleError, SpecError
from clearcnn.language import say
from clearcnn.models.size_limits import MOST_PARAMETERS
from clearcnn.specs import DataSpec, ModelSpec, SplitSpec, TrainSpec
from clearcnn.types import Arguments
from clearcnn.workflows.fitting.budget import Budget
from clearcnn.workflows.fitting.listeners import TrainListener
from clearcnn.workflows.fitting.repro_command import suggest_resume
from clearcnn.workflows.runs.find_run import find_run_to_resume

# Six arrays of four bytes per parameter of the largest allowed model: the weights, the optimizer's
# two moments, the best weights of early stopping, and room for two more.
_MOST_CHECKPOINT_BYTES = 6 * 4 * MOST_PARAMETERS


@dataclass(frozen=True, eq=False)
class Job:
    """A training to run.

    Attributes:
      recipe: its name.
      data: the source of the images.
      split: how they are split.
      model: layers that replace the recipe's; a spec, or the path of a TOML file.
      settings: fields of TrainSpec that replace the recipe's.
      seed: of the initial weights, shuffling, dropout and augmentation.
      out: the run folder to make; None makes `runs/<source>-<UTC time>/`.
      command: the command that gives the same result.
      content_hash: the hash that the images must have; None accepts any.
      is_own: whether this user named `data` on this computer.
      start: the checkpoint to resume from.
      unfinished: the folder of the checkpoints, locked by this process; None for a new one beside
        the run folder.
      notes: what the report says about the origin of the run, one sentence each.
      augment, flip: as for `choose_augmentation`.
      budget: of the whole command; None trains all epochs.
    """

    recipe: str
    data: DataSpec
    split: SplitSpec
    model: ModelSpec | Path | str | None
    settings: Arguments
    seed: int
    out: Path | None
    command: str
    content_hash: str | None = None
    is_own: bool = True
    start: Checkpoint | None = None
    unfinished: CheckpointFolder | None = None
    notes: tuple[str, ...] = ()
    augment: tuple[str, ...] | None = None
    flip: bool | None = None
    budget: Budget | None = None


@contextmanager
def open_job(
    run: Path, epochs: int | None, out: Path | None, command: str, listener: TrainListener
) -> Iterator[Job]:
    """Find a run to resume; an unfinished one is locked for this process within the context.

    Args:
      run: a run folder, the path of a future one, or its `.unfinished`; or a name, as for
        `find_run_to_resume`.
      epochs: replaces the run's number of epochs, unless None.
      out: the run folder to make, unless None.
      command: the command that resumes the run.
      listener: hears of damaged checkpoints.
    Raises:
      ClearCNNError: there is no such run, it cannot be resumed, or another process is training it.
    """
    run = find_run_to_resume(run if run.name not in ("", "..") else run.resolve())
    name = run.name.removesuffix(bundle.UNFINISHED)
    if not name:
        raise BundleError(
            say("{run} is not a run to resume.", run=run), remedy=say("Give a folder below runs/.")
        )
    place = run.with_name(name)
    folder = bundle.unfinished_place(place)
    is_stopped = bundle.may_be_unfinished(folder) and not bundle.is_finished_as(folder, place)
    is_finished = (place / bundle.MANIFEST_NAME).is_file()
    if is_stopped and is_finished and run.name == name:
        raise BundleError(
            say(
                "{run} may mean two runs: the finished {place}, or the stopped {folder}.",
                run=run,
                place=place,
                folder=folder,
            ),
            remedy=say(
                "Give the full name of the run to resume. {folder}", folder=suggest_resume(folder)
            ),
        )
    if is_stopped:
        files = CheckpointFolder(folder, listener.on_warning, _MOST_CHECKPOINT_BYTES)
        with files.locked():
            yield _resume(files, place, epochs, out)
    elif is_finished:
        yield _extend(bundle.read_bundle(place), epochs, out, command)
    else:
        raise BundleError(
            say(
                "{run} is not a run to resume: there is neither a run folder {place} nor an "
                "unfinished {folder}.",
                run=run,
                place=place,
                folder=folder,
            ),
            remedy=say(
                "Give a folder below runs/. A run writes its first checkpoint after half a "
                "minute; one that ended before must be trained from the start."
            ),
        )


def _resume(files: CheckpointFolder, place: Path, epochs: int | None, out: Path | None) -> Job:
    """Resume a stopped run; its result is the same as without the stop."""
    request, start = bundle.read_request(files.folder), files.load()
    done = 0 if start is None else start.epoch
    train = request.train
    if epochs is not None and epochs != train.epochs:
        _require_more(files.folder, epochs, done)
        train = dataclasses.replace(train, epochs=epochs)
        is_own = bundle.is_own(request)
        request = dataclasses.replace(request, train=train)
        request = bundle.sign(request) if is_own else request
        bundle.write_request(files.folder, request)
    notes = request.notes
    if done:
        notes += (
            say(
                "The training was stopped and went on after epoch {done}; its seconds are "
                "counted from there.",
                done=done,
            ),
        )
    free = bundle.find_free_place(place)
    if out is None and free != place:
        notes += (
            say("{place} already exists, so this run became {name}.", place=place, name=free.name),
        )
    return _make_job(request, train, out or free, request.command, start, files, notes)


def _extend(run: Bundle, epochs: int | None, out: Path | None, command: str) -> Job:
    """Train a finished run for more epochs, into a new run folder."""
    manifest, folder = run.manifest, run.folder
    metrics = bundle.read_metrics(run)
    if metrics.divergence:
        raise BundleError(
            say("{folder} diverged (NaN or infinity), and would do so again.", folder=folder),
            remedy=say("Train again from the start; its report says what to change."),
        )
    if bundle.CHECKPOINT_NAME not in manifest.files:
        raise BundleError(
            say(
                "{folder} has no {checkpoint_name}, so it cannot be resumed.",
                folder=folder,
                checkpoint_name=bundle.CHECKPOINT_NAME,
            ),
            remedy=say("Train again: clearcnn writes one into each run folder."),
        )
    start = _read_end(run)
    train = manifest.train
    interrupted = metrics.interrupted
    if epochs is None and not interrupted:
        raise SpecError(
            say(
                "{folder} is finished: it was trained for up to {epochs} epochs.",
                folder=folder,
                epochs=train.epochs,
            ),
            remedy=say(
                "Give the total number of epochs: --epochs {epochs}.", epochs=2 * train.epochs
            ),
        )
    if epochs is not None:
        _require_more(folder, epochs, start.epoch if interrupted else train.epochs)
    longer = dataclasses.replace(train, epochs=epochs or train.epochs)
    notes = [
        say(
            "The first {epoch} epochs are those of the run {name}.",
            epoch=start.epoch,
            name=folder.resolve().name,
        )
    ]
    if longer.schedule == "one_cycle" and longer.epochs != train.epochs:
        notes.append(
            say(
                "Their one-cycle learning rate was planned for {old_epochs} epochs; the others "
                "follow a cycle planned for {new_epochs}.",
                old_epochs=train.epochs,
                new_epochs=longer.epochs,
            )
        )
    request = bundle.make_request(
        recipe=metrics.recipe,
        data=manifest.data,
        split=manifest.split,
        model=manifest.model,
        train=longer,
        content_hash=manifest.content_hash,
        command=command,
        notes=tuple(notes),
        versions=manifest.versions,
    )
    request = bundle.sign(request) if bundle.is_own(manifest) else request
    return _make_job(request, longer, out, command, start, None, request.notes)


def _read_end(run: Bundle) -> Checkpoint:
    """Read the last checkpoint of a finished run."""
    manifest = run.manifest
    shape, num_classes = manifest.input.shape, len(manifest.class_names)
    parameters = models.check_output(manifest.model, shape, num_classes).parameters
    content = run.read(bundle.CHECKPOINT_NAME, limit_checkpoint_bytes(parameters))
    return decode_checkpoint(content, run.folder / bundle.CHECKPOINT_NAME)


def _make_job(
    request: Request,
    train: TrainSpec,
    out: Path | None,
    command: str,
    start: Checkpoint | None,
    unfinished: CheckpointFolder | None,
    notes: tuple[str, ...],
) -> Job:
    now = bundle.software_versions()
    others = [f"{name} {then}" for name, then in request.versions.items() if now.get(name) != then]
    if start is not None and others:
        notes += (
            say(
                "It was begun with {others}, so it may differ in its last bits from one "
                "training with the current versions.",
                others=", ".join(others),
            ),
        )
    return Job(
        recipe=request.recipe,
        data=request.data,
        split=request.split,
        model=request.model,
        settings={each.name: getattr(train, each.name) for each in dataclasses.fields(train)},
        seed=train.seed,
        out=out,
        command=command,
        content_hash=request.content_hash,
        is_own=bundle.is_own(request),
        start=start,
        unfinished=unfinished,
        notes=notes,
    )


def _require_more(folder: Path, epochs: int, done: int) -> None:
    if epochs <= done:
        raise SpecError(
            say(
                "epochs={epochs} is out of range: {folder} already has {done}.",
                epochs=epochs,
                folder=folder,
                done=done,
            ),
            remedy=say("Give the total number of epochs, more than {done}.", done=done),
        )
