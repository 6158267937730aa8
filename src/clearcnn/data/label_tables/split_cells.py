"""Which split a cell, a file name or a folder name of a table's author stands for."""

import re

from clearcnn.data.split_names import parse_split_name

COLUMN_NAMES = frozenset(
    ["split", "set", "subset", "usage", "partition", "part", "phase", "dataset", "data_set", "fold"]
)
# The names of Kaggle's facial expression challenge: the public test set was for choosing models.
_WHOLE = {"publictest": "validation", "privatetest": "test"}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def find_split_word(text: str) -> str | None:
    """Return the only split that words of a text name: "test" for "GT-final_test"; else None."""
    whole = parse_split_name(text) or _WHOLE.get(text.strip().casefold())
    if whole is not None:
        return whole
    found = {parse_split_name(word) for word in _WORD.findall(text)} - {None}
    return found.pop() if len(found) == 1 else None
