"""What an evaluation says beside its scores."""

from collections.abc import Sequence

import numpy as np

from clearcnn.data import LabelledImages, find_duplicates
from clearcnn.evaluation import BASELINES
from clearcnn.language import join, say, say_count
from clearcnn.report.evaluation_charts import say_difference
from clearcnn.report.number_format import percent
from clearcnn.report.terms import translate_term
from clearcnn.results.evaluate import Protocol
from clearcnn.workflows.evaluate.protocol import ProtocolRun


def report_interruption(run: ProtocolRun, name: str, num_images: int) -> str:
    """Report how many folds an interrupted evaluation covers."""
    finished = sum(each.fold.repeat == 0 for each in run.outcomes[name])
    if finished == len(run.folds):
        return say(
            "The evaluation was stopped after all its folds: what follows them, such as repeats, "
            "the learning curve or the robustness of a baseline, is left out."
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
        say_count("{number:,} exact duplicate", "{number:,} exact duplicates", duplicates)
        if duplicates
        else say("no exact duplicates")
    )
    fewest, most = int(counts.min()), int(counts.max())
    return say(
        "{num_images:,} images of {num_classes:,} classes, {each} each; {found}",
        num_images=len(images),
        num_classes=len(counts),
        each=format(most, ",")
        if fewest == most
        else say("{fewest:,} to {most:,}", fewest=fewest, most=most),
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


def report_balance(protocol: Protocol, class_weight_power: float) -> tuple[str, ...]:
    """Report the balanced accuracy of the CNN, and compare it with the best baseline's.

    Args:
      protocol: the headline, where classes are unequal.
      class_weight_power: with which the CNN was trained.
    """
    ours, *others = protocol.models
    if ours.balanced is None:
        return ()
    weighed = (
        say(
            "images of small classes count more in training, by (images of the class) to the power "
            "−{power:g}, also for the logistic regression, the SVM and the extra trees",
            power=class_weight_power,
        )
        if class_weight_power
        else say("every image counts the same in training")
    )
    sentence = say(
        "The classes are unequal: {weighed}. The balanced accuracy, the mean of their recalls, is "
        "{accuracy} % (95 % interval {low}–{high}).",
        weighed=weighed,
        accuracy=percent(ours.balanced.accuracy),
        low=percent(ours.balanced.interval.low),
        high=percent(ours.balanced.interval.high),
    )
    compared = [each for each in others if each.name in BASELINES and each.balanced is not None]
    if not compared:
        return (sentence,)
    best = max(compared, key=lambda each: each.balanced.accuracy if each.balanced else 0.0)
    assert best.balanced is not None
    assert best.balanced_difference is not None
    against = say(
        "Of the baselines, {best} has the highest, {accuracy} %; {name} is {verdict}, "
        "{difference}.",
        best=translate_term(best.name),
        accuracy=percent(best.balanced.accuracy),
        name=ours.name,
        verdict=translate_term(best.balanced_difference.verdict),
        difference=say_difference(best.balanced_difference),
    )
    return (join(" ", (sentence, against)),)


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
