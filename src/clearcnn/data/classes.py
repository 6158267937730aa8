"""Conversion of a source's labels to class indices and class names."""

import unicodedata
from collections.abc import Iterable, Sequence

import numpy as np

from clearcnn.data.labelled_images import Labels
from clearcnn.data.natural_sort import sort_naturally
from clearcnn.errors import DataError
from clearcnn.language import join, say, say_count
from clearcnn.spelling import did_you_mean
from clearcnn.types import Array

_LONGEST_QUOTE = 100


def number_classes(
    labels: Sequence[str] | Array,
    source: str,
    *,
    known: Sequence[str] | None = None,
    wanted: Sequence[str] | None = None,
) -> tuple[Labels, tuple[str, ...]]:
    """Convert labels to class indices and class names.

    Args:
      labels: (n,) of str, or of integers.
      source: a description for error messages.
      known: the names of all classes if the source lists them; integers are indices into it.
      wanted: the same classes in the order that the user chose.
    Returns:
      (labels, class_names): (n,) int64, and the names in the user's order, else the source's, else
      natural order.
    Raises:
      DataError: `wanted` is not the classes of the data, or a label is not an index into `known`.
    """
    values, inverse = np.unique(np.asarray(labels), return_inverse=True)
    if values.dtype.kind in "iu" and known is not None:
        if values[0] < 0 or values[-1] >= len(known):
            strange = values[0] if values[0] < 0 else values[-1]
            row = int(np.flatnonzero(inverse == np.searchsorted(values, strange))[0])
            raise DataError(
                say(
                    "{source}: row {row} has the label {label}; expected 0 to {last}, "
                    "since there are {num_names} class names.",
                    source=source,
                    row=row,
                    label=strange,
                    last=len(known) - 1,
                    num_names=len(known),
                ),
                remedy=say("Remove images without a label, or correct the labels."),
            )
        texts = [normal_form(known[value]) for value in values]
    else:
        texts = [normal_form(str(value)) for value in values]
    if wanted is not None:
        names = [normal_form(name) for name in wanted]
        _check_same_classes(found=texts, wanted=names, source=source)
    else:
        names = [normal_form(name) for name in known] if known else sort_naturally(set(texts))
    index = {name: number for number, name in enumerate(names)}
    numbers = np.array([index[text] for text in texts], np.int64)
    return numbers[inverse.reshape(-1)], tuple(names)


def check_counts(labels: Labels, class_names: Sequence[str], source: str) -> None:
    """Check that a classifier can be trained and tested on the data.

    Raises:
      DataError: there is only one class, or a class has fewer than two images.
    """
    if len(class_names) < 2:
        raise DataError(
            say(
                "{source}: there is only one class, {class_names!r}; expected at least two.",
                source=source,
                class_names=shorten(class_names[0]),
            ),
            remedy=say("Add images of another class."),
        )
    counts = np.bincount(labels, minlength=len(class_names))
    for count, fault in ((0, say("no image")), (1, say("only one image"))):
        if poor := [name for name, c in zip(class_names, counts, strict=True) if c == count]:
            raise DataError(
                say_count(
                    "{source}: {found} in the class {poor}; at least 2 are needed to train and "
                    "to test.",
                    "{source}: {found} in the classes {poor}; at least 2 are needed to train and "
                    "to test.",
                    len(poor),
                    source=source,
                    found=fault,
                    poor=quote(poor),
                ),
                remedy=say("Add images, or leave out such classes (--min-images 2).")
                if len(counts) > 2
                else say("Add images."),
            )


def normal_form(name: str) -> str:
    """Return a name in Unicode's NFC form; macOS decomposes Korean and accented letters."""
    return unicodedata.normalize("NFC", name)


def quote(names: Iterable[str], most: int = 8) -> str:
    """Quote the first few of many names: "'a', 'b' and 3 more"."""
    listed = list(names)
    more = say(" and {number} more", number=len(listed) - most) if len(listed) > most else ""
    return ", ".join(repr(shorten(name)) for name in listed[:most]) + more


def report_unlabelled(count: int) -> str:
    """Say that images whose label is -1 were left out."""
    return say_count(
        "{number:,} image without a label (-1) was left out; give it to predict.",
        "{number:,} images without a label (-1) were left out; give them to predict.",
        count,
    )


def shorten(text: str) -> str:
    """Return a text, or the beginning of one that is too long for a message."""
    return text if len(text) <= _LONGEST_QUOTE else f"{text[:_LONGEST_QUOTE]}…"


def _check_same_classes(found: Sequence[str], wanted: Sequence[str], source: str) -> None:
    there = set(found)
    absent = [name for name in wanted if name not in there]
    unnamed = sort_naturally(there - set(wanted))
    if not absent and not unnamed:
        return
    faults = [say("no image of {absent}", absent=quote(absent))] if absent else []
    if unnamed:
        faults.append(say("{unnamed} in the data, but not in class_names", unnamed=quote(unnamed)))
    question = did_you_mean(absent[0], unnamed) if absent else ""
    raise DataError(
        say(
            "{source}: the class names do not match the data: {faults}.",
            source=source,
            faults=join("; ", faults),
        ),
        remedy=say(
            "{question}Name exactly the classes of the data, in the order to use.",
            question=question,
        ),
    )
