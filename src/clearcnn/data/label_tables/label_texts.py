"""Labels that are written in several ways: numbers are unified, other pairs are rejected."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence

from clearcnn.data.classes import normal_form, quote
from clearcnn.errors import DataError
from clearcnn.language import say

_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.0*)?")
_SEPARATORS = ("|", ";", ",")


def unify_labels(labels: Sequence[str], source: str) -> tuple[list[str], tuple[str, ...]]:
    """Give labels that mean one class one spelling.

    Whole numbers in several spellings, such as 1, 01 and 1.0, are one class, with the spelling that
    most images have.

    Args:
      labels: (n,) one for each image.
      source: a description for error messages.
    Returns:
      (labels, sentences): the labels, and what was done.
    Raises:
      DataError: two labels differ only in capitals or inner blanks, and are longer than a letter.
    """
    counts = Counter(normal_form(label) for label in labels)
    numbers: dict[int, list[str]] = defaultdict(list)
    folded: dict[str, str] = {}
    for label, _ in counts.most_common():
        if _NUMBER.fullmatch(label):
            numbers[int(label.partition(".")[0])].append(label)
        # Single letters may be classes of a set of characters.
        twin = folded.setdefault(" ".join(label.casefold().split()), label)
        if twin != label and len(label) > 1:
            raise DataError(
                say(
                    "{source}: the labels {label_one!r} ({count_one:,} images) and {label_two!r} "
                    "({count_two:,}) differ only in capitals or blanks.",
                    source=source,
                    label_one=twin,
                    count_one=counts[twin],
                    label_two=label,
                    count_two=counts[label],
                ),
                remedy=say("Write one of them everywhere, or make them different."),
            )
    several = {texts[0]: texts for texts in numbers.values() if len(texts) > 1}
    if not several:
        return [normal_form(label) for label in labels], ()
    chosen = {text: best for best, texts in several.items() for text in texts}
    first = next(iter(several.values()))
    sentence = say(
        "Labels that are the same number read as one class, such as {first}.", first=quote(first)
    )
    return [chosen.get(text, text) for text in map(normal_form, labels)], (sentence,)


def reject_lists(labels: Sequence[str], names: Sequence[str], source: str) -> None:
    """Raise if labels are lists of labels, such as "a|b" where a and b are labels too.

    Raises:
      DataError: the problem counts and names such images.
    """
    alone = set(labels)
    for separator in _SEPARATORS:
        rows = [row for row, label in enumerate(labels) if separator in label]
        joined = [
            row for row in rows if {part.strip() for part in labels[row].split(separator)} <= alone
        ]
        if joined and 2 * len(joined) > len(rows):
            raise several_labels(
                source,
                len(rows),
                len(labels),
                say("{names} has {labels!r}", names=names[joined[0]], labels=labels[joined[0]]),
            )


def several_labels(source: str, count: int, total: int, example: str) -> DataError:
    """Return the error for images with more than one label."""
    return DataError(
        say(
            "{source}: {count:,} of {total:,} images have several labels, for example "
            "{example}. clearcnn trains models that give one class to each image.",
            source=source,
            count=count,
            total=total,
            example=example,
        ),
        remedy=say(
            "Keep the images with one label in a table of their own; or ask one question at a "
            "time: with a column of 0 and 1 for a class, --label-column CLASS trains a model "
            "that tells whether an image shows it."
        ),
    )
