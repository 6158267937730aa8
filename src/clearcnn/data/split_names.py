"""The names of splits in a source: train, validation, test, and their common aliases."""

from clearcnn.errors import DataError

_ALIASES = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_SPLIT_OF = {alias: split for split, aliases in _ALIASES.items() for alias in aliases}

ACCEPTED = ", ".join(_SPLIT_OF)


def parse_split_name(name: str) -> str | None:
    """Return the split that a name stands for, ignoring case; None if it is not a split's name."""
    return _SPLIT_OF.get(name.strip().casefold())


def require_split_name(name: str, place: str) -> str:
    """Return the split that a name stands for, or raise a DataError that names the place."""
    split = parse_split_name(name)
    if split is None:
        raise DataError(
            f"{place}: unknown split {name[:40]!r}; expected one of {ACCEPTED}.",
            remedy="Correct the cell, or remove the column.",
        )
    return split
