"""What may make a score mean less than it seems to, one sentence each."""

from collections import defaultdict

import numpy as np

from clearcnn.data import find_duplicates
from clearcnn.results.train import Score
from clearcnn.workflows.fitting.plan import TrainPlan

_COARSEST = 0.01


def list_cautions(plan: TrainPlan) -> tuple[str, ...]:
    """Say what the user should know of the data and its parts before anything is trained."""
    said = (_miss_validation(plan), _find_leaks(plan), _find_shared_groups(plan))
    return tuple(filter(None, said))


def judge_precision(score: Score) -> str | None:
    """Say so if the test part is too small to tell two models apart that differ by 1 %."""
    half_width = (score.interval.high - score.interval.low) / 2
    if half_width <= _COARSEST:
        return None
    return (
        f"{_count(score.total, 'test image')} leave the accuracy uncertain by "
        f"±{100 * half_width:.1f} %: too few to tell 1 % apart. Test on more, or compare over "
        "several seeds."
    )


def _miss_validation(plan: TrainPlan) -> str | None:
    if plan.train_spec.patience is None or len(plan.split.validation):
        return None
    return "There is no validation part, so training runs every epoch and keeps the last weights."


def _find_leaks(plan: TrainPlan) -> str | None:
    """Test images whose very pixels were there to learn from."""
    images, parts = plan.images, plan.split
    copies = find_duplicates(images.images)
    known = np.concatenate([parts.train, parts.validation])
    leaks = parts.test[np.isin(copies[parts.test], copies[known])]
    if not len(leaks):
        return None
    labels = defaultdict(set)
    for row in known:
        labels[copies[row]].add(images.labels[row])
    contradicted = sum(labels[copies[row]] != {images.labels[row]} for row in leaks)
    return (
        f"{len(leaks):,} of {_count(len(parts.test), 'test image')} stand, pixel for pixel, in the "
        "training or validation part too"
        + (f", {contradicted:,} of them with another label" if contradicted else "")
        + f": the score takes them for unseen. The first is {images.names[leaks[0]]}."
    )


def _find_shared_groups(plan: TrainPlan) -> str | None:
    """Test images whose group was there to learn from."""
    groups, parts = plan.images.groups, plan.split
    if groups is None:
        return None
    known = groups[np.concatenate([parts.train, parts.validation])]
    shared = int(np.isin(groups[parts.test], known).sum())
    if not shared:
        return None
    return (
        f"The {plan.split_spec.split} split ignores the {len(np.unique(groups)):,} groups of the "
        f"data: {shared:,} of {_count(len(parts.test), 'test image')} have their group in the "
        'training part, so the score says little of a new one. A "group" split does.'
    )


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
