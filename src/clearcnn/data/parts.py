"""The parts a source may give: train, validation, test, and what else people call them."""

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
