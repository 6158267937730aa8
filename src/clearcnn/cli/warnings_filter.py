"""What libraries warn of, in one line each, and what can be done about it done."""

import re
import sys
import warnings
from typing import Any

from clearcnn.text import printable

# Of JAX; the words after the name are those of whatever failed.
_CACHE = re.compile(r"Error (reading|writing) persistent compilation cache entry for '(.+?)': (.+)")


def hear_complaints() -> None:
    """From now on, say each warning once and in one line, without the line of code it is from."""
    said = set()

    def show(message: Warning | str, *_: Any, **__: Any) -> None:
        what, why = _put_plainly(str(message))
        if what not in said:
            said.add(what)
            sys.stderr.write(f"warning: {printable(what + why)}\n")

    warnings.showwarning = show


def _put_plainly(message: str) -> tuple[str, str]:
    """Give a sentence, and what may differ each time it is said."""
    lines = message.splitlines() or [""]
    found = _CACHE.match(lines[0])
    if found is None:
        return lines[0], ""
    direction, program, reason = found.groups()
    if direction == "writing":
        return "Compiled programs cannot be kept for the next run", f": {reason}"
    from clearcnn import cache

    cache.delete_program(cache.programs_folder(), program)
    return "Compiled programs that were kept are damaged; they are compiled and kept anew.", ""
