"""Suggestions for misspelt words: "Did you mean …?"."""

import difflib
from collections.abc import Iterable
from itertools import islice

from clearcnn.language import say

# Limits the time for long lists, such as a table with a million columns.
_LONGEST, _MOST = 100, 1_000


def suggest(word: str, choices: Iterable[str]) -> str | None:
    """Find the choice that is most similar to a misspelt word.

    Args:
      word: the misspelt word.
      choices: the valid words.
    Returns:
      The most similar choice, ignoring case, or None if none is similar.
    """
    short = (choice for choice in choices if len(choice) <= _LONGEST)
    by_lower_case = {choice.lower(): choice for choice in islice(short, _MOST)}
    near = difflib.get_close_matches(word[:_LONGEST].lower(), by_lower_case, n=1, cutoff=0.6)
    return by_lower_case[near[0]] if near else None


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Return "Did you mean 'label'? " if a choice is similar, otherwise ""."""
    near = suggest(word, choices)
    return say("Did you mean {near!r}? ", near=near) if near else ""
