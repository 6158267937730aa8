"""Warnings about data and splits that make a score misleading, one sentence each."""

from collections import defaultdict

import numpy as np

from clearcnn import models
from clearcnn.data import find_duplicates
from clearcnn.language import say, say_count
from clearcnn.results.scores import Score
from clearcnn.workflows.fitting.plan import TrainPlan

_COARSEST = 0.01


def list_data_warnings(plan: TrainPlan) -> tuple[str, ...]:
    """List the warnings about the data and its split, before training."""
    found = (
        _find_no_validation(plan),
        _find_leaks(plan),
        _find_shared_groups(plan),
        _find_unequal_classes(plan),
    )
    return tuple(filter(None, found))


def check_precision(score: Score) -> str | None:
    """Warn if the test set is too small for models that differ by one percentage point."""
    half_width = (score.interval.high - score.interval.low) / 2
    if half_width <= _COARSEST:
        return None
    return say(
        "{total} leave the accuracy uncertain by ±{half_width:.1f} points: too few to "
        "detect a difference of one percentage point. Test on more images, or compare "
        "over several seeds.",
        total=say_count("{number:,} test image", "{number:,} test images", score.total),
        half_width=100 * half_width,
    )


def _find_no_validation(plan: TrainPlan) -> str | None:
    if plan.train_spec.patience is None or len(plan.splits.validation):
        return None
    return say(
        "There is no validation set, so training runs every epoch and keeps the last weights."
    )


def _find_leaks(plan: TrainPlan) -> str | None:
    """Warn of test images that are exact duplicates of training or validation images."""
    images, splits = plan.images, plan.splits
    copies = find_duplicates(images.images)
    known = np.concatenate([splits.train, splits.validation])
    leaks = splits.test[np.isin(copies[splits.test], copies[known])]
    if not len(leaks):
        return None
    labels = defaultdict(set)
    for row in known:
        labels[copies[row]].add(images.labels[row])
    contradicted = sum(labels[copies[row]] != {images.labels[row]} for row in leaks)
    num_test = say_count("{number:,} test image", "{number:,} test images", len(splits.test))
    first = images.names[leaks[0]]
    if not contradicted:
        return say(
            "{num_leaks:,} of {num_test} are exact duplicates of training or validation images, "
            "so the score counts images that are not new. The first is {first}.",
            num_leaks=len(leaks),
            num_test=num_test,
            first=first,
        )
    return say(
        "{num_leaks:,} of {num_test} are exact duplicates of training or validation images, "
        "{contradicted:,} of them with another label, so the score counts images that are not "
        "new. The first is {first}.",
        num_leaks=len(leaks),
        num_test=num_test,
        contradicted=contradicted,
        first=first,
    )


def _find_shared_groups(plan: TrainPlan) -> str | None:
    """Warn of test images whose group is also in the training or validation set."""
    groups, splits = plan.images.groups, plan.splits
    if groups is None:
        return None
    known = groups[np.concatenate([splits.train, splits.validation])]
    shared = int(np.isin(groups[splits.test], known).sum())
    if not shared:
        return None
    return say(
        "The {split} split ignores the {num_groups:,} groups of the data: {shared:,} of "
        "{num_test} have their group in the training set, so the score says little about "
        'new groups. Use the "group" split.',
        split=plan.split_spec.split,
        num_groups=len(np.unique(groups)),
        shared=shared,
        num_test=say_count("{number:,} test image", "{number:,} test images", len(splits.test)),
    )


def _find_unequal_classes(plan: TrainPlan) -> str | None:
    """Warn if a class has many times the training images of another."""
    classes, counts = np.unique(plan.images.labels[plan.splits.train], return_counts=True)
    largest, smallest = counts.argmax(), counts.argmin()
    if counts[largest] < models.UNEQUAL * counts[smallest]:
        return None
    names = [plan.images.class_names[classes[k]] for k in (largest, smallest)]
    weighed = (
        say("images of small classes count more in training")
        if plan.train_spec.class_weight_power
        else say("every image counts the same in training")
    )
    return say(
        "The classes are unequal: {largest_class} has {images}, {smallest_class} {fewest:,}; "
        "{weights}. The accuracy says little about the small classes: read the balanced "
        "accuracy, and the recall of each class.",
        largest_class=names[0],
        images=say_count(
            "{number:,} training image", "{number:,} training images", counts[largest]
        ),
        smallest_class=names[1],
        fewest=counts[smallest],
        weights=weighed,
    )
