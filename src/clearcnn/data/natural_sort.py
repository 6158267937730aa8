"""Natural order: 2 before 10, ignoring case."""

import re
from collections.abc import Iterable

_DIGITS = re.compile(r"([0-9]+)")


def natural_key(text: str) -> tuple[tuple[str | tuple[int, str], ...], str]:
    """Compute a sort key that compares runs of digits as numbers.

    Digits are compared by length and then as text, so numbers may have any length. The text itself
    comes last, so different texts have different keys.
    """
    pieces = _DIGITS.split(text.casefold())
    key: list[str | tuple[int, str]] = []
    for place, piece in enumerate(pieces):
        if place % 2:
            number = piece.lstrip("0")
            key.append((len(number), number))
        else:
            key.append(piece)
    return tuple(key), text


def sort_naturally(texts: Iterable[str]) -> list[str]:
    """Sort texts in natural order; by value if all are whole numbers."""
    listed = list(texts)
    if all(re.fullmatch(r"-?[0-9]{1,18}", text) for text in listed):
        return sorted(listed, key=lambda text: (int(text), text))
    return sorted(listed, key=natural_key)
