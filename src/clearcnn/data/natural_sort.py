"""Natural order: 2 before 10, capitals beside small letters."""

import re
from collections.abc import Iterable

_DIGITS = re.compile(r"([0-9]+)")


def natural_key(text: str) -> tuple[tuple[str | tuple[int, str], ...], str]:
    """A sort key that reads runs of digits as numbers.

    Digits are compared by length and then as text, so numbers of any length are compared.
    The text itself comes last, to give different texts different keys.
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
    """Texts in natural order; if every one is a whole number, in the order of the numbers."""
    listed = list(texts)
    if all(re.fullmatch(r"-?[0-9]{1,18}", text) for text in listed):
        return sorted(listed, key=lambda text: (int(text), text))
    return sorted(listed, key=natural_key)
