"""Parsing of untrusted JSON within a memory limit."""

import json
from collections.abc import Callable
from typing import Any

from clearcnn.language import say

MOST_MEMORY = 256 * 2**20
"""The default limit in bytes for one parsed text."""

# CPython's sizes, rounded up: a dict with its first key, a list with its first item, a further
# key's slot in a growing dict, a further item with a number, and half of a string's header, since a
# string has two quotes. Keys are shared within one text, so repeated ones are overestimated.
_COSTS = {"{": 120, "[": 100, ":": 100, ",": 40, '"': 30}


class JsonError(ValueError):
    """A text is not JSON, or is too large; the message is a clause without a full stop."""


def parse_json(
    content: bytes | str,
    *,
    most_memory: int = MOST_MEMORY,
    refuse_constant: Callable[[str], object] | None = None,
) -> Any:
    """Parse JSON from an untrusted source.

    Three bytes can become seventy: `{},` is an empty dict and its slot in a list. So the memory is
    estimated first, by counting the characters that start values, even those inside strings.

    Args:
      content: a text, as str or UTF-8.
      most_memory: the limit in bytes for the text and its values, by estimate.
      refuse_constant: called with "NaN", "Infinity" or "-Infinity", which `json.loads` accepts.
    Returns:
      The value that `json.loads` returns.
    Raises:
      JsonError: it is not JSON, is nested too deeply, or may take more memory.
    """
    expected = estimate_memory(content)
    if expected > most_memory:
        raise JsonError(
            say(
                "its JSON of {length:,} characters may take {expected:,} bytes in memory, and at "
                "most {most_memory:,} are used",
                length=len(content),
                expected=expected,
                most_memory=most_memory,
            )
        )
    try:
        # File names that are not Unicode have lone surrogates.
        text = content if isinstance(content, str) else content.decode("utf-8-sig", "surrogatepass")
        return json.loads(text, parse_constant=refuse_constant)
    except RecursionError:
        raise JsonError(say("it is nested too deeply")) from None
    except ValueError as error:  # UnicodeDecodeError and integers of thousands of digits, too.
        raise JsonError(
            say("it is not JSON: {error}", error=str(error)[:200].rstrip("."))
        ) from error


def estimate_memory(content: bytes | str) -> int:
    """Compute an upper bound on the bytes that a JSON text and its values take when parsed."""
    # One character beyond Latin-1 makes all others of its string take up to four bytes.
    whole = 1 if content.isascii() else 4
    strings = 4 if _count(content, "\\u") else whole
    text_bytes = len(content) * (whole + strings)
    return text_bytes + sum(_count(content, mark) * cost for mark, cost in _COSTS.items())


def _count(content: bytes | str, mark: str) -> int:
    return content.count(mark) if isinstance(content, str) else content.count(mark.encode())
