"""Everything that `check` finds in images, before anything is written."""

import dataclasses

import numpy as np
from numpy.typing import NDArray

from clearcnn import data
from clearcnn.data import LabelledImages
from clearcnn.language import say
from clearcnn.results.check import Finding, Suspect
from clearcnn.workflows.check.findings import (
    check_classes,
    check_range,
    find_duplicates,
    find_empty,
    find_split_groups,
    list_suspects,
    list_unreadable,
    report_empty,
    report_unchecked,
    report_weak_models,
)
from clearcnn.workflows.check.group_proposal import find_name_groups
from clearcnn.workflows.check.label_issues import (
    FEWEST_OF_A_CLASS,
    find_suspects,
    fit_label_check,
    plan_label_check,
)
from clearcnn.workflows.fitting.listeners import EvaluateListener


@dataclasses.dataclass(frozen=True)
class LabelOptions:
    """What was asked of the label check; `begun` is when the command began."""

    begun: float
    wanted: bool = True
    seed: int = 777
    epochs: int | None = None
    augment: tuple[str, ...] | None = None
    flip: bool | None = None
    budget: float | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Examination:
    """What was found in images.

    Attributes:
      findings: all, problems first.
      general: those that are about all images; the others list the images that they are about.
      exact: (n,) the first image with the same pixels.
      near: (n,) the first image with nearly the same pixels.
      empty: the rows of the images of a single value.
      suspects: labels that models contradict, the most suspect first.
      epochs: of the trainings that looked for them; None without any.
      interrupted: whether Ctrl-C ended it before the labels were checked.
    """

    findings: tuple[Finding, ...]
    general: tuple[Finding, ...]
    exact: NDArray[np.intp]
    near: NDArray[np.intp]
    empty: NDArray[np.intp]
    suspects: tuple[Suspect, ...]
    epochs: int | None
    interrupted: bool


def examine(images: LabelledImages, labels: LabelOptions, heard: EvaluateListener) -> Examination:
    """Look for problems in images; nothing is written.

    Args:
      images: all images of the source.
      labels: whether and how their labels are checked.
      heard: hears about findings and the progress.
    Raises:
      SpecError: the budget is too small.
    """
    general = [
        *check_classes(images),
        *find_split_groups(images),
        *find_name_groups(images),
        *check_range(images),
    ]
    empty = find_empty(images)
    exact = data.find_duplicates(images.images)
    near = data.find_near_duplicates(images.images)
    itself = np.arange(len(exact))
    findings = [
        *list_unreadable(images),
        *general,
        *report_empty(images, empty),
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
    general.sort(key=lambda finding: not finding.is_problem)
    for finding in findings:
        heard.on_finding(finding.sentence)
    suspects, epochs, notes, interrupted = _check_labels(images, labels, heard)
    return Examination(
        (*findings, *list_suspects(suspects), *notes),
        (*general, *notes),
        exact,
        near,
        empty,
        suspects,
        epochs,
        interrupted,
    )


def _check_labels(
    images: LabelledImages, labels: LabelOptions, heard: EvaluateListener
) -> tuple[tuple[Suspect, ...], int | None, list[Finding], bool]:
    """Return the suspects, the epochs, how far to trust them, and if it was interrupted."""
    if not labels.wanted:
        return (), None, [], False
    fewest = int(np.bincount(images.labels, minlength=len(images.class_names)).min())
    if fewest < FEWEST_OF_A_CLASS or len(images.class_names) < 2:
        return (), None, [report_unchecked(images, fewest)], False
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
        issues = find_suspects(planned, heard.on_step)
        notes = [*report_weak_models(issues)]
        return issues.suspects, planned.epochs, notes, False
    except KeyboardInterrupt:
        sentence = say("Labels were not checked: it was stopped before all trainings had ended.")
        return (), None, [Finding("label check stopped", False, sentence, ())], True
