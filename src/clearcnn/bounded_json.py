"""JSON from outside, parsed only if what it becomes in memory stays within a bound."""

import json
from collections.abc import Callable
from typing import Any

MOST_MEMORY = 256 * 2**20
"""In bytes, of one parsed text."""

# CPython's sizes, rounded up: an object with its first key, an array with its first place, a
# key's place in a growing table, a place with a number in it, and half a text's head, which has
# two quotes. Keys are shared within one text, so repeated ones are counted too often.
_COSTS = {"{": 120, "[": 100, ":": 100, ",": 40, '"': 30}


class JsonError(ValueError):
    """A text is no JSON, or becomes too much; the message is a clause without a full stop."""


def parse_json(
    content: bytes | str,
    *,
    most_memory: int = MOST_MEMORY,
    refuse_constant: Callable[[str], Any] | None = None,
) -> Any:
    """Parse JSON that somebody else may have written.

    Three bytes can become seventy: `{},` is an empty dict and its place in a list. So the marks
    that begin values are counted first; those within texts count too.

    Args:
      content: a text, or its UTF-8.
      most_memory: bytes that the text and its values may take, at most, by estimate.
      refuse_constant: called with NaN, Infinity or -Infinity, which Python takes for numbers.
    Returns:
      What `json.loads` gives.
    Raises:
      JsonError: it is no JSON, is nested too deeply, or would take more memory.
    """
    expected = estimate_memory(content)
    if expected > most_memory:
        raise JsonError(
            f"its JSON of {len(content):,} letters may take {expected:,} bytes in memory, "
            f"and at most {most_memory:,} are used"
        )
    try:
        # Names of files that are no Unicode have lone surrogates.
        text = content if isinstance(content, str) else content.decode("utf-8-sig", "surrogatepass")
        return json.loads(text, parse_constant=refuse_constant)
    except RecursionError:
        raise JsonError("it is nested too deeply") from None
    except ValueError as error:  # UnicodeDecodeError and integers of thousands of digits, too.
        raise JsonError(f"it is no JSON: {str(error)[:200].rstrip('.')}") from error


def estimate_memory(content: bytes | str) -> int:
    """Estimate, from above, how many bytes a JSON text and its values take when parsed."""
    # One letter beyond Latin-1 widens all others of its text to as many as four bytes.
    whole = 1 if content.isascii() else 4
    parts = 4 if _count(content, "\\u") else whole
    text_bytes = len(content) * (whole + parts)
    return text_bytes + sum(_count(content, mark) * cost for mark, cost in _COSTS.items())


def _count(content: bytes | str, mark: str) -> int:
    return content.count(mark) if isinstance(content, str) else content.count(mark.encode())
