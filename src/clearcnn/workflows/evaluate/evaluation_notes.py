"""What an evaluation says beside its scores."""

from collections.abc import Sequence

import numpy as np

from clearcnn.data import LabelledImages, find_duplicates
from clearcnn.language import say
from clearcnn.results.evaluate import Protocol
from clearcnn.workflows.evaluate.protocol import ProtocolRun


def report_interruption(run: ProtocolRun, name: str, num_images: int) -> str:
    """Report how many folds an interrupted evaluation covers."""
    finished = sum(each.fold.repeat == 0 for each in run.outcomes[name])
    if finished == len(run.folds):
        return say(
            "The evaluation was stopped after all its folds: the learning curve, or repeats of the "
            "folds, are left out."
        )
    return say(
        "Partial: the evaluation was stopped after {finished} of {num_folds} folds. The "
        "scores and intervals are those of their {num_images:,} images.",
        finished=finished,
        num_folds=len(run.folds),
        num_images=num_images,
    )


def describe_images(images: LabelledImages) -> str:
    """Say how many images and classes there are, and how many duplicates."""
    counts = np.bincount(images.labels, minlength=len(images.class_names))
    duplicates = int((find_duplicates(images.images) != np.arange(len(images))).sum())
    found = (
        say("{duplicates:,} exact duplicates", duplicates=duplicates)
        if duplicates
        else say("no exact duplicates")
    )
    return say(
        "{num_images:,} images of {num_classes:,} classes, {fewest:,} to {most:,} each; {found}",
        num_images=len(images),
        num_classes=len(counts),
        fewest=counts.min(),
        most=counts.max(),
        found=found,
    )


def report_divergences(runs: Sequence[ProtocolRun]) -> tuple[str, ...]:
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


def report_gap(protocols: Sequence[Protocol]) -> tuple[str, ...]:
    """Report how much easier random folds are than unseen groups."""
    if len(protocols) < 2:
        return ()
    groups, random = (protocol.models[0].score.accuracy for protocol in protocols)
    points = 100 * (random - groups)
    return (
        say(
            "Random folds give {random:.1f} %, {points:.1f} points {comparison} than the "
            "{groups:.1f} % on unseen groups: random folds put images of one group into both "
            "training and test set.",
            random=100 * random,
            points=abs(points),
            comparison=say("more") if points >= 0 else say("less"),
            groups=100 * groups,
        ),
    )
