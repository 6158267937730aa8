"""`check`: find problems in the data before training."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

from clearcnn import bundle, data, report
from clearcnn.data import LabelledImages, PythonImages
from clearcnn.errors import SpecError
from clearcnn.language import Language, say
from clearcnn.results.check import CheckResult
from clearcnn.results.json_codec import SCHEMA_VERSION, to_json
from clearcnn.specs import DataSpec
from clearcnn.workflows.check.examine import LabelOptions, examine
from clearcnn.workflows.check.use_list import UseList, propose_uses
from clearcnn.workflows.fitting.augmentation_choice import check_augmentation
from clearcnn.workflows.fitting.budget import read_seconds
from clearcnn.workflows.fitting.listeners import EvaluateListener, Verbose, watch_evaluation
from clearcnn.workflows.fitting.python_images import load_python_images
from clearcnn.workflows.fitting.report_language import find_language

_PARENT = Path("checks")


def check(
    source: str | Path | DataSpec | LabelledImages | PythonImages = "digits",
    *,
    labels: bool = True,
    epochs: int | None = None,
    augment: Sequence[str] | None = None,
    flip: bool | None = None,
    budget: float | str | None = None,
    seed: int = 777,
    out: Path | str | None = None,
    verbose: Verbose = "auto",
    listener: EvaluateListener | None = None,
    language: str | None = None,
) -> CheckResult:
    """Find problems that harm a training or its score; the source is not changed.

    Args:
      source: "digits", a path, a DataSpec, or images already loaded. Unreadable files are skipped
        and listed.
      labels: whether to look for suspect labels too, which takes a few short trainings.
      epochs: of these trainings; None takes a quarter of the recipe's.
      augment, flip: of these trainings, as for `train`.
      budget: the time for the whole check, in seconds or as "60s" or "5min"; the epochs follow
        from the pace of this machine, and are in the result.
      seed: of these trainings.
      out: the folder to make; None makes `checks/<source>-<UTC time>/`.
      verbose: as in Keras: 0 shows nothing, 1 shows the progress that the terminal shows, and
        "auto" does so in a notebook or an interactive Python, but not in a script. Without a
        `listener` only.
      listener: hears about the progress of the reading and the trainings.
      language: of `suspects.png`: "en" or "ko"; None takes that of the locale.
    Returns:
      CheckResult; its `folder` has `check.json`, the cleaned list `use.csv` for `train --use`,
      and, if there are suspects, `suspects.png`. After Ctrl-C during the trainings it has all other
      findings, and `interrupted` is true.
    Raises:
      ClearCNNError: the source cannot be read, the folder cannot be written, or the budget is too
        small.
    """
    spoken = find_language(language)
    begun = time.perf_counter()
    changes = None if augment is None else tuple(augment)
    if changes is not None:
        check_augmentation(changes, flip)
    seconds = read_seconds(budget)
    if seconds is not None and epochs is not None:
        raise SpecError(
            say("budget was given together with epochs, which it chooses."),
            remedy=say("Leave out either."),
        )
    asked = LabelOptions(begun, labels, seed, epochs, changes, flip, seconds)
    with watch_evaluation(listener, verbose) as heard:
        source = load_python_images(source, heard)
        if isinstance(source, LabelledImages):
            images, name = source, source.source
        else:
            spec = source if isinstance(source, DataSpec) else DataSpec(str(source))
            spec = dataclasses.replace(spec, skip_unreadable=True, for_training=False)
            images, name = data.load(spec, progress=heard.on_reading), spec.source
        place = None if out is None else Path(out)
        with bundle.open_run_folder(name, out=place, parent=_PARENT) as run:
            result = _check(images, asked, heard, run.partial, spoken)
    return dataclasses.replace(result, folder=run.path)


def _check(
    images: LabelledImages,
    labels: LabelOptions,
    heard: EvaluateListener,
    folder: Path,
    language: Language,
) -> CheckResult:
    found = examine(images, labels, heard)
    uses = propose_uses(
        images, exact=found.exact, near=found.near, empty=found.empty, suspects=found.suspects
    )
    result = CheckResult(
        images.source,
        len(images),
        images.class_names,
        found.findings,
        images.preparation,
        found.suspects,
        int((~uses.use).sum()),
        found.epochs,
        found.interrupted,
    )
    _keep(folder, images, uses, result, language)
    return result


def _keep(
    folder: Path, images: LabelledImages, uses: UseList, result: CheckResult, language: Language
) -> None:
    values = to_json(result)
    del values["folder"]
    bundle.write_json(folder / "check.json", {"schema_version": SCHEMA_VERSION, **values})
    given = [images.class_names[label] for label in images.labels]
    data.write_use_list(folder / "use.csv", images.names, given, uses.use, uses.reasons)
    shown = result.suspects[: report.MOST_SUSPECTS]
    if shown:
        rows = [suspect.index for suspect in shown]
        captions = [(suspect.label, suspect.suggestion) for suspect in shown]
        sheet = report.draw_suspects(images.images[rows], captions, images.value_range, language)
        sheet.save(folder / "suspects.png")
