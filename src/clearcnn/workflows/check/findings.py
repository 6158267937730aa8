"""What `check` finds in the images themselves, one kind of finding each."""

from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from clearcnn.data import LabelledImages
from clearcnn.language import join, say, say_count
from clearcnn.results.check import Finding, Suspect
from clearcnn.results.train import describe_skipped
from clearcnn.workflows.check.label_issues import FEWEST_OF_A_CLASS, LabelIssues

_MOST_NAMES = 20
_FEWEST_TO_TRAIN = 2
_FEW_IMAGES = 20
_IMBALANCE = 10
_NARROW = 0.25
_WEAK_AGREEMENT = 0.8


def list_suspects(suspects: tuple[Suspect, ...]) -> Iterator[Finding]:
    """Report labels that the models contradict."""
    if suspects:
        names = tuple(
            say(
                "{name}: {label}, looks like {suggestion} ({suggested_confidence:.0f} % "
                "against {confidence:.0f} %)",
                name=each.name,
                label=each.label,
                suggestion=each.suggestion,
                suggested_confidence=100 * each.suggested_confidence,
                confidence=100 * each.confidence,
            )
            for each in suspects[:_MOST_NAMES]
        )
        yield Finding(
            "suspect labels",
            False,
            say(
                "Labels that models trained without them contradict: {num_suspects:,}. They "
                "may still be right: review them.",
                num_suspects=len(suspects),
            ),
            names,
        )


def report_weak_models(issues: LabelIssues) -> Iterator[Finding]:
    """Report models that contradict many labels, of which few are suspect."""
    agreement = 1 - issues.num_contradicted / issues.num_checked
    if agreement < _WEAK_AGREEMENT and 2 * len(issues.suspects) < issues.num_contradicted:
        yield Finding(
            "weak label check",
            False,
            say(
                "The models that checked the labels agree with only {agreement:.0f} % of them, so "
                "most disagreements are probably errors of the models. Only labels that are "
                "probably wrong are listed; others may be wrong too.",
                agreement=100 * agreement,
            ),
            (),
        )


def report_unchecked(images: LabelledImages, fewest: int) -> Finding:
    """Report why labels could not be checked."""
    what = (
        say_count(
            "the smallest class has {number} image, and cross-validation needs {needed}",
            "the smallest class has {number} images, and cross-validation needs {needed}",
            fewest,
            needed=FEWEST_OF_A_CLASS,
        )
        if len(images.class_names) > 1
        else say("there is only one class, and training needs two")
    )
    return Finding(
        "labels not checked", False, say("Labels could not be checked: {what}.", what=what), ()
    )


def list_unreadable(images: LabelledImages) -> Iterator[Finding]:
    """Report files that could not be read."""
    if images.skipped:
        count = len(images.skipped)
        yield Finding(
            "unreadable files",
            True,
            say("Unreadable files: {count:,}.", count=count),
            tuple(describe_skipped(images.skipped))[:_MOST_NAMES],
        )


def find_duplicates(
    images: LabelledImages, first: NDArray[np.intp], kind: str, words: str, others: str
) -> Iterator[Finding]:
    """Report each duplicate once; with another label, or in another split, it is a problem."""
    duplicates = np.flatnonzero(first != np.arange(len(first)))
    other_label = duplicates[images.labels[duplicates] != images.labels[first[duplicates]]]
    if len(other_label):
        sentence = say(
            "{words} with another label: {images}. At most one of the labels is right.",
            words=words,
            images=_count(other_label),
        )
        yield _report(images, other_label, f"{kind} with another label", True, sentence, first)
    rest = np.setdiff1d(duplicates, other_label)
    across = rest[_are_across_splits(images, first)[rest]]
    if len(across):
        sentence = say(
            "{words} in another split: {images}. The score counts memorized images.",
            words=words,
            images=_count(across),
        )
        yield _report(images, across, f"{kind} across splits", True, sentence, first)
    rest = np.setdiff1d(rest, across)
    if len(rest):
        shown = others if len(rest) < len(duplicates) else words
        sentence = say("{words}: {images}.", words=shown, images=_count(rest))
        yield _report(images, rest, kind, False, sentence, first)


def _are_across_splits(images: LabelledImages, first: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which images have a duplicate in another of the source's own splits, (n,) bool."""
    if images.split_names is None:
        return np.zeros(len(first), np.bool_)
    found_in = defaultdict(set)
    for row, name in enumerate(images.split_names):
        found_in[first[row]].add(name)
    return np.array([len(found_in[row]) > 1 for row in first], np.bool_)


def find_empty(images: LabelledImages) -> NDArray[np.intp]:
    """Return the rows of the images of a single value."""
    flat = images.images.reshape(len(images), -1)
    return np.flatnonzero(flat.min(axis=1) == flat.max(axis=1))


def report_empty(images: LabelledImages, rows: NDArray[np.intp]) -> Iterator[Finding]:
    """Report images of a single value."""
    if len(rows):
        sentence = say("All pixels have the same value: {images}.", images=_count(rows))
        yield _report(images, rows, "empty images", True, sentence)


def find_split_groups(images: LabelledImages) -> Iterator[Finding]:
    """Report groups that are in several of the source's own splits."""
    if images.groups is None or images.split_names is None:
        return
    splits = defaultdict(set)
    for group, name in zip(images.groups.tolist(), images.split_names.tolist(), strict=True):
        splits[group].add(name)
    split = [group for group, found in splits.items() if len(found) > 1]
    if split:
        yield Finding(
            "groups across splits",
            True,
            say(
                "{num_split:,} of {num_splits:,} groups are in more than one split: the score "
                "says little about new groups.",
                num_split=len(split),
                num_splits=len(splits),
            ),
            tuple(map(str, split[:_MOST_NAMES])),
        )


def check_classes(images: LabelledImages) -> Iterator[Finding]:
    """Report classes that are too small, too few or unequal."""
    counts = np.bincount(images.labels, minlength=len(images.class_names))
    if len(counts) == 1:
        yield Finding("one class", True, say("There is only one class: nothing to classify."), ())
    lacking = np.flatnonzero(counts < _FEWEST_TO_TRAIN)
    if len(lacking):
        yield Finding(
            "classes too small to train",
            True,
            say(
                "Classes of fewer than {fewest} images, too few to train and test a "
                "model: {number:,}.",
                fewest=_FEWEST_TO_TRAIN,
                number=len(lacking),
            ),
            tuple(f"{images.class_names[k]}: {counts[k]:,}" for k in lacking[:_MOST_NAMES]),
        )
    few = np.flatnonzero(counts < _FEW_IMAGES)
    if len(few):
        names = tuple(f"{images.class_names[k]}: {counts[k]:,}" for k in few[:_MOST_NAMES])
        yield Finding(
            "small classes",
            False,
            say(
                "Classes of fewer than {fewest} images, too few for good training and a "
                "precise score: {number:,}.",
                fewest=_FEW_IMAGES,
                number=len(few),
            ),
            names,
        )
    if counts.max() >= _IMBALANCE * counts.min():
        largest, smallest = (images.class_names[k] for k in (counts.argmax(), counts.argmin()))
        yield Finding(
            "imbalance",
            False,
            say(
                "{largest} has {most:,} images and {smallest} {fewest:,}: look at the "
                "metrics of each class, not only at the accuracy.",
                largest=largest,
                most=counts.max(),
                smallest=smallest,
                fewest=counts.min(),
            ),
            (),
        )


def check_range(images: LabelledImages) -> Iterator[Finding]:
    """Report pixels that use little of their range."""
    low, high = images.value_range
    seen = float(images.images.max()) - float(images.images.min())
    if seen < _NARROW * (high - low):
        yield Finding(
            "narrow values",
            False,
            say(
                "The pixels span {seen:g} of a possible {high:g}: check their scale.",
                seen=seen,
                high=high - low,
            ),
            (),
        )


def _count(rows: NDArray[np.intp]) -> str:
    return say_count("{number:,} image", "{number:,} images", len(rows))


def _report(
    images: LabelledImages,
    rows: NDArray[np.intp],
    kind: str,
    is_problem: bool,
    sentence: str,
    first: NDArray[np.intp] | None = None,
) -> Finding:
    name: Callable[[int], str] = images.names.__getitem__
    names = tuple(
        name(row) if first is None else join(" = ", (name(row), name(first[row])))
        for row in rows[:_MOST_NAMES].tolist()
    )
    return Finding(
        kind,
        is_problem,
        sentence,
        names,
    )
