"""One data set among several in a folder: `FOLDER#NAME`."""

from collections.abc import Iterable
from pathlib import Path

from clearcnn.data.natural_sort import sort_naturally
from clearcnn.errors import DataError
from clearcnn.language import say
from clearcnn.spelling import did_you_mean

UNNAMED = "unnamed"
"""The choice of a set whose files have no name beside "train", "test" and the like."""


def split_choice(source: str) -> tuple[str, str | None]:
    """Split "folder#letters" into the path and the choice, unless a path has that very name."""
    path, mark, choice = source.rpartition("#")
    if not mark or not path or not choice or Path(source).expanduser().exists():
        return source, None
    return path, choice


def choose_set(names: Iterable[str], source: str, form: str, place: Path) -> str:
    """Return the set that a source names after "#", by its name or a word of it; or the only one.

    Raises:
      DataError: there are several and none is named, or the named one is not among them.
    """
    stored = {name or UNNAMED: name for name in names}
    listed = sort_naturally(set(stored))
    _, choice = split_choice(source)
    if choice is None and len(listed) == 1:
        return stored[listed[0]]
    shown = ", ".join(listed[:20])
    if choice is None:
        raise DataError(
            say(
                "{place} contains {number} data sets: {names}.",
                place=place,
                number=len(listed),
                names=shown,
            ),
            remedy=say(
                "Name the one you want after a #: {form}:{place}#{listed}",
                form=form,
                place=place,
                listed=listed[-1],
            ),
        )
    if choice in listed:
        return stored[choice]
    short = [name for name in listed if choice.lower() in name.split("-")]
    if len(short) == 1:
        return stored[short[0]]
    raise DataError(
        say(
            "{place} contains no data set {choice!r}; it contains {names}.",
            place=place,
            choice=choice[:80],
            names=shown,
        ),
        remedy=say(
            "{suggestion}Name one of these after the #.", suggestion=did_you_mean(choice, listed)
        ),
    )
