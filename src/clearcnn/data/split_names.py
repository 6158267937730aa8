"""The parts a source may give: train, validation, test, and what else people call them."""

from clearcnn.errors import DataError

_ALIASES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_PART_OF = {alias: part for part, aliases in _ALIASES.items() for alias in aliases}

ACCEPTED = ", ".join(_PART_OF)


def part_called(name: str) -> str | None:
    """The part that `name` stands for, whatever its capitals; None if it names no part."""
    return _PART_OF.get(name.strip().casefold())


def require_part(name: str, place: str) -> str:
    """As `part_called`, or raise a DataError that names the place."""
    part = part_called(name)
    if part is None:
        raise DataError(
            f"{place}: the split {name[:40]!r} is not known; one of {ACCEPTED} was expected.",
            remedy="Correct the cell, or leave the column out.",
        )
    return part
