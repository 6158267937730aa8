"""Warnings of libraries, each shown once and in one line; damaged cache entries are dropped."""

import re
import sys
import warnings

from clearcnn.language import Language, say
from clearcnn.text import printable

# JAX's message; the text after the name comes from the exception.
_CACHE = re.compile(r"Error (reading|writing) persistent compilation cache entry for '(.+?)': (.+)")


def show_warnings_once(language: Language) -> None:
    """From now on, show each warning once and in one line, without its source line."""
    shown = set()

    def show(message: Warning | str, *_: object, **__: object) -> None:
        what, why = _summarise(str(message))
        if what not in shown:
            shown.add(what)
            sentence = say("warning: {sentence}", sentence=printable(what + why))
            sys.stderr.write(language.translate(sentence) + "\n")

    warnings.showwarning = show


def _summarise(message: str) -> tuple[str, str]:
    """Return a sentence and the part of it that may differ each time."""
    lines = message.splitlines() or [""]
    found = _CACHE.match(lines[0])
    if found is None:
        return lines[0], ""
    direction, program, reason = found.groups()
    if direction == "writing":
        return say("Compiled programs cannot be cached for the next run"), f": {reason}"
    from clearcnn import cache

    cache.delete_program(cache.programs_folder(), program)
    return say("Cached programs are damaged; they are compiled and cached again."), ""
