"""Did you mean …?"""

import difflib
from collections.abc import Iterable
from itertools import islice

# Comparing takes time: a table of a million columns is no list to choose a word from.
_LONGEST, _MOST = 100, 1_000


def suggest(word: str, choices: Iterable[str]) -> str | None:
    """Find the choice that a misspelt word most likely stands for.

    Args:
      word: what was written.
      choices: what may be written.
    Returns:
      The nearest choice, capitals aside, or None where nothing is near.
    """
    short = (choice for choice in choices if len(choice) <= _LONGEST)
    by_lower_case = {choice.lower(): choice for choice in islice(short, _MOST)}
    near = difflib.get_close_matches(word[:_LONGEST].lower(), by_lower_case, n=1, cutoff=0.6)
    return by_lower_case[near[0]] if near else None


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """Give "Did you mean 'label'? " where a choice is near, otherwise nothing."""
    near = suggest(word, choices)
    return f"Did you mean {near!r}? " if near else ""
