"""`check`: find problems in the data before training."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from clearcnn import bundle, data, report
from clearcnn.data import LabelledImages, PythonImages
from clearcnn.errors import SpecError
from clearcnn.language import Language, say
from clearcnn.results.check import CheckResult, Finding, Suspect
from clearcnn.results.json_codec import SCHEMA_VERSION, to_json
from clearcnn.specs import DataSpec
from clearcnn.workflows.check.findings import (
    check_classes,
    check_range,
    find_constant,
    find_duplicates,
    find_split_groups,
    list_suspects,
    list_unreadable,
    report_unchecked,
)
from clearcnn.workflows.check.group_proposal import find_name_groups
from clearcnn.workflows.check.label_issues import (
    FEWEST_OF_A_CLASS,
    find_suspects,
    fit_label_check,
    plan_label_check,
)
from clearcnn.workflows.check.use_list import UseList, propose_uses
from clearcnn.workflows.fitting.augmentation_choice import check_augmentation
from clearcnn.workflows.fitting.budget import read_seconds
from clearcnn.workflows.fitting.listeners import EvaluateListener, Verbose, watch_evaluation
from clearcnn.workflows.fitting.python_images import load_python_images
from clearcnn.workflows.fitting.report_language import find_language

_PARENT = Path("checks")


@dataclasses.dataclass(frozen=True)
class _Labels:
    """What was asked of the label check; `begun` is when the command began."""

    wanted: bool
    seed: int
    epochs: int | None
    augment: tuple[str, ...] | None
    flip: bool | None
    budget: float | None
    begun: float


@dataclasses.dataclass(frozen=True)
class _LabelCheck:
    """What the label check found; `findings` say why labels were not checked."""

    suspects: tuple[Suspect, ...] = ()
    epochs: int | None = None
    findings: tuple[Finding, ...] = ()
    interrupted: bool = False


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
    asked = _Labels(labels, seed, epochs, changes, flip, seconds, begun)
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
    labels: _Labels,
    heard: EvaluateListener,
    folder: Path,
    language: Language,
) -> CheckResult:
    findings = [
        *list_unreadable(images),
        *check_classes(images),
        *find_constant(images),
        *find_split_groups(images),
        *find_name_groups(images),
        *check_range(images),
    ]
    exact = data.find_duplicates(images.images)
    near = data.find_near_duplicates(images.images)
    itself = np.arange(len(exact))
    findings += [
        *find_duplicates(
            images,
            exact,
            "duplicates",
            say("Exact duplicates"),
            say("Other exact duplicates"),
        ),
        *find_duplicates(
            images,
            np.where(exact == itself, near, itself),
            "near duplicates",
            say("Near duplicates"),
            say("Other near duplicates"),
        ),
    ]
    findings.sort(key=lambda finding: not finding.is_problem)
    for finding in findings:
        heard.on_finding(finding.sentence)
    checked = _check_labels(images, labels, heard)
    findings += [*list_suspects(checked.suspects), *checked.findings]
    uses = propose_uses(images, exact, near, checked.suspects)
    result = CheckResult(
        images.source,
        len(images),
        images.class_names,
        tuple(findings),
        images.preparation,
        checked.suspects,
        int((~uses.use).sum()),
        checked.epochs,
        checked.interrupted,
    )
    _keep(folder, images, uses, result, language)
    return result


def _check_labels(images: LabelledImages, labels: _Labels, heard: EvaluateListener) -> _LabelCheck:
    if not labels.wanted:
        return _LabelCheck()
    fewest = int(np.bincount(images.labels, minlength=len(images.class_names)).min())
    if fewest < FEWEST_OF_A_CLASS or len(images.class_names) < 2:
        return _LabelCheck(findings=(report_unchecked(images, fewest),))
    try:
        planned = plan_label_check(
            images,
            labels.seed,
            epochs=labels.epochs,
            augment=labels.augment,
            flip=labels.flip,
            on_finding=heard.on_finding,
        )
        planned, sentence = fit_label_check(planned, labels.budget, labels.begun)
        heard.on_work(sentence)
        heard.on_phase(say("training to find suspect labels"), len(planned.folds))
        return _LabelCheck(find_suspects(planned, heard.on_step), planned.epochs)
    except KeyboardInterrupt:
        sentence = say("Labels were not checked: it was stopped before all trainings had ended.")
        stopped = Finding("label check stopped", False, sentence, ())
        return _LabelCheck(findings=(stopped,), interrupted=True)


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
