"""File names that are a class and a number, such as `cat.0.jpg` or `Abyssinian_12.jpg`."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from clearcnn.data.classes import normal_form, quote
from clearcnn.language import say

_NUMBERED = re.compile(r"(.*[^\W\d_])[\W_]*\d[\d\W_]*")


def read_class(path: Path) -> str | None:
    """Read the class that comes before the number in a name; None if there is none."""
    match = _NUMBERED.fullmatch(path.stem)
    return normal_form(match[1]) if match else None


def suggest(images: Sequence[Path], folder: Path) -> str:
    """Suggest this form in a sentence, if names have two classes or more, each several times."""
    counts = Counter(read_class(path) for path in images)
    if len(counts) < 2 or None in counts or min(counts.values()) < 2:
        return ""
    return say(
        "If the names begin with the class, such as {example}, put names: before the path: "
        "names:{folder}. ",
        example=quote(map(str, counts), 3),
        folder=folder,
    )
