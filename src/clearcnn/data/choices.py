"""One data set among several in a folder: `FOLDER#NAME`."""

from collections.abc import Iterable
from pathlib import Path

from clearcnn.data.natural_sort import sort_naturally
from clearcnn.errors import DataError
from clearcnn.spelling import did_you_mean


def split_choice(source: str) -> tuple[str, str | None]:
    """Split "folder#letters" into the path and the choice, unless a path has that very name."""
    path, mark, choice = source.rpartition("#")
    if not mark or not path or not choice or Path(source).expanduser().exists():
        return source, None
    return path, choice


def choose_set(names: Iterable[str], source: str, form: str, place: Path) -> str:
    """Return the set that a source names after "#", or the only one.

    Raises:
      DataError: there are several and none is named, or the named one is not among them.
    """
    listed = sort_naturally(set(names))
    _, choice = split_choice(source)
    if choice is None and len(listed) == 1:
        return listed[0]
    shown = ", ".join(name or "(without a name)" for name in listed[:20])
    if choice is None:
        raise DataError(
            f"{place} contains {len(listed)} data sets: {shown}.",
            remedy=f"Name the one you want after a #: {form}:{place}#{listed[-1]}",
        )
    if choice in listed:
        return choice
    raise DataError(
        f"{place} contains no data set {choice[:80]!r}; it contains {shown}.",
        remedy=f"{did_you_mean(choice, listed)}Name one of these after the #.",
    )
